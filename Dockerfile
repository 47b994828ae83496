# One image for every daemon of the suite: candlewell.
#
#   docker compose build
#   docker build -t candlewell .
#   docker build -t candlewell --build-arg SQLITE_ENGINE=compiled .    # what arm64 gets, anywhere
#
# Where SQLite comes from. Debian's own has the WAL-reset bug (see common/engine.py). On amd64 the pysqlite3
# wheel carries a fixed one. There is no such wheel for arm64, so there SQLite is compiled from its amalgamation
# and pysqlite3's own source package, whose hash requirements/suite.txt pins too, is linked with it.
ARG BASE_IMAGE=python:3.13-slim-trixie
ARG SQLITE_ENGINE=${TARGETARCH}

FROM ${BASE_IMAGE} AS base

# --- SQLite's amalgamation, as the better-sqlite3 package carries it: one C file and its header -------------
FROM base AS amalgamation
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends npm ca-certificates
ARG BETTER_SQLITE3=13.2.0
ARG SQLITE3_C=75a4760a7b9727a4c4c877aec92eacf39e52a8f2921ce00bd33be6d3a8e8e254
ARG SQLITE3_H=d6c84557261893439b341d2e6c35187ae3ea24fbfd843ad94616f72d89242b8c
WORKDIR /sqlite
RUN npm pack --silent "better-sqlite3@${BETTER_SQLITE3}" \
    && tar -xzf better-sqlite3-*.tgz --strip-components=3 package/deps/sqlite3 \
    && printf '%s  %s\n' "${SQLITE3_C}" sqlite3.c "${SQLITE3_H}" sqlite3.h | sha256sum --check --strict

# --- an engine is the base image on which the builder below finds, or compiles, a fixed SQLite ---------------
FROM base AS engine-wheel
ENV FROM_SOURCE=ta

FROM base AS engine-compiled
# Debian's Python keeps its headers in a package of their own; the official image has them.
RUN apt-get update -qq \
    && apt-get install -qq -y --no-install-recommends gcc libc6-dev \
    && include="$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')" \
    && { [ -e "$include/Python.h" ] || apt-get install -qq -y --no-install-recommends python3-dev; }
COPY --from=amalgamation /sqlite/sqlite3.c /sqlite/sqlite3.h /usr/local/include/
# The options are those of the pysqlite3 wheel, so that both engines do the same. Only a static library is made:
# `-lsqlite3` has nothing else to find. Hidden symbols cannot be taken for those of Python's own SQLite.
RUN gcc -c -O2 -fPIC -fvisibility=hidden -o /tmp/sqlite3.o /usr/local/include/sqlite3.c \
        -DSQLITE_ALLOW_COVERING_INDEX_SCAN=1 -DSQLITE_ENABLE_FTS3=1 -DSQLITE_ENABLE_FTS3_PARENTHESIS=1 \
        -DSQLITE_ENABLE_FTS4=1 -DSQLITE_ENABLE_FTS5=1 -DSQLITE_ENABLE_LOAD_EXTENSION=1 \
        -DSQLITE_ENABLE_MATH_FUNCTIONS=1 -DSQLITE_ENABLE_RTREE=1 -DSQLITE_ENABLE_STAT4=1 \
        -DSQLITE_ENABLE_UPDATE_DELETE_LIMIT=1 -DSQLITE_SOUNDEX=1 -DSQLITE_USE_URI=1 -DSQLITE_TEMP_STORE=3 \
        -DSQLITE_MAX_VARIABLE_NUMBER=250000 -DSQLITE_MAX_MMAP_SIZE=1099511627776 \
    && ar rcs /usr/local/lib/libsqlite3.a /tmp/sqlite3.o
ENV LIBRARY_PATH=/usr/local/lib FROM_SOURCE=ta,pysqlite3

FROM engine-wheel AS engine-amd64
FROM engine-compiled AS engine-arm64

# --- the packages of the suite, each checked against its hash -----------------------------------------------
FROM engine-${SQLITE_ENGINE} AS builder
ARG SETUPTOOLS="setuptools==84.2.1 --hash=sha256:ca140b45d5325a9478f880e351484f62fef15f336462e449ca0c03c873d589c2"
ENV PIP_CACHE_DIR=/var/cache/pip PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements/suite.txt requirements/terminal.txt /tmp/
# What is not a wheel is built with that setuptools, not with whatever is newest; a wheel that is missing is an
# error and not a long build. Bytecode is made here, since the root file system is read-only later, and as PYTHONOPTIMIZE
# below will ask for it: without docstrings, which takes 8 MB off each trader. Assertions go with them, so they may only
# tell a type checker or a reader what holds anyway.
RUN --mount=type=cache,target=/var/cache/pip \
    python3 -m venv --without-pip /opt/venv \
    && echo "${SETUPTOOLS}" >/tmp/setuptools.txt \
    && pip="pip --python /opt/venv/bin/python" \
    && $pip install --no-compile --require-hashes -r /tmp/setuptools.txt \
    && $pip install --no-compile --require-hashes -r /tmp/suite.txt \
        --only-binary :all: --no-binary "${FROM_SOURCE}" --no-build-isolation \
    && $pip uninstall --yes setuptools \
    && rm -rf /opt/venv/lib/python3*/site-packages/pandas/tests \
    && /opt/venv/bin/python -OO -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv
# What draws tables lies apart, in an environment that sees the other one and not the other way round: a daemon that
# finds rich loads it, for 7 MB.
RUN --mount=type=cache,target=/var/cache/pip \
    python3 -m venv --without-pip /opt/terminal \
    && ls -d /opt/venv/lib/python3*/site-packages >"$(ls -d /opt/terminal/lib/python3*/site-packages)/suite.pth" \
    && pip="pip --python /opt/terminal/bin/python" \
    && $pip install --no-compile --require-hashes -r /tmp/terminal.txt --only-binary :all: \
    && $pip uninstall --yes setuptools \
    && /opt/terminal/bin/python -OO -m compileall -q --invalidation-mode unchecked-hash /opt/terminal \
    && printf '#!/bin/sh\nexec /opt/terminal/bin/python -m candlewell "$@"\n' >/opt/terminal/bin/candlewell \
    && chmod +x /opt/terminal/bin/candlewell

# --- what runs ----------------------------------------------------------------------------------------------
FROM base
LABEL org.opencontainers.image.title="Candlewell" \
      org.opencontainers.image.description="One well of candles, many traders: a self-hosted trading suite" \
      org.opencontainers.image.licenses="MIT"
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /opt/terminal /opt/terminal
# Nothing here has much linear algebra to do: OpenBLAS would start a thread for each core of the machine.
ENV PATH=/opt/venv/bin:$PATH:/opt/terminal/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONOPTIMIZE=2 \
    OPENBLAS_NUM_THREADS=1 \
    HEARTBEAT_FILE=/tmp/heartbeat \
    LOG_FORMAT=json
WORKDIR /app
COPY schema.py ./
COPY migrations migrations
COPY common common
COPY practice practice
COPY backfiller backfiller
COPY trader trader
COPY candlewell candlewell
COPY config config
# A new named volume takes over the owner of this folder: root, whose folders docker-compose gives away.
RUN python -OO -m compileall -q --invalidation-mode unchecked-hash /app && mkdir data
USER 1000:1000
