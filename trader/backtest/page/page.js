"use strict";
// Zoom and read-out of the charts. What a chart shows is in its paths already, in whole units: this moves the
// plots' windows and whatever is placed in percent. Without it, the report is complete and stands still.
(() => {
  const LEAST = 20, MANY_MARKS = 300, TICKS = 5, DRAG = 6;
  const charts = document.getElementById("charts");
  const start = +charts.dataset.start, step = +charts.dataset.step, span = +charts.dataset.span;
  const LEFT = -0.5, RIGHT = span - 0.5;
  const output = charts.querySelector("output");
  const panes = Array.from(charts.querySelectorAll("svg.pane"), readPane);
  let from = LEFT, to = RIGHT, dragged = null;

  function readPane(svg) {
    const plot = svg.querySelector(".plot");
    const height = plot.viewBox.baseVal.height;
    const share = (use, name) => parseFloat(use.getAttribute(name)) / 100;
    const series = Array.from(plot.querySelectorAll(".line, .bars"), path => ({
      name: path.dataset.name, ...pointsOf(path.getAttribute("d")),
    }));
    const marks = Array.from(svg.querySelectorAll(".marks use"), use => ({
      use, x: LEFT + share(use, "x") * span, y: share(use, "y") * height,
    }));
    // A title would hide under a tooltip what the pointer is at; its words stay for a screen reader.
    const title = svg.querySelector("title");
    svg.setAttribute("aria-label", title.textContent);
    svg.setAttribute("aria-describedby", svg.querySelector("desc").id);
    svg.removeAttribute("aria-labelledby");
    title.remove();
    const grid = svg.querySelector(".grid");
    return {
      svg, plot, height, series, marks, grid, whole: [...grid.childNodes], high: +svg.dataset.high,
      exponent: +svg.dataset.exponent, levels: [...svg.querySelectorAll("text.level")],
      cursor: svg.appendChild(make("line", {class: "cursor", y2: "100%", visibility: "hidden"})),
      selection: svg.appendChild(make("rect", {class: "selection", height: "100%", visibility: "hidden"})),
    };
  }

  function pointsOf(path) {
    const xs = [], ys = [];
    let x = 0, y = 0, command = "";
    const words = path.match(/[a-z]|-?\d+/gi) || [];
    for (let at = 0; at < words.length;) {
      if (/[a-z]/i.test(words[at])) {
        command = words[at++];
        if (command === "V") break; // the way back along zero, which only closes an area
        continue;
      }
      if (command !== "v") x += +words[at++];
      y += +words[at++];
      xs.push(x);
      ys.push(y);
    }
    return {xs, ys};
  }

  function make(name, attributes, text) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function firstFrom(xs, x) {
    let low = 0, high = xs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (xs[middle] < x) low = middle + 1; else high = middle;
    }
    return low;
  }

  const percent = share => `${(100 * share).toFixed(4)}%`;
  const across = x => percent((x - from) / (to - from));
  const time = slot => new Date(start + step * slot).toISOString().slice(0, 16).replace("T", " ");
  const told = (value, decimals) =>
    value.toLocaleString("en-US", {minimumFractionDigits: decimals, maximumFractionDigits: decimals});
  const valueOf = (pane, y) => (pane.high - y) * 10 ** pane.exponent;

  // The rows between which everything lies that is to be seen.
  function rows(pane) {
    if ("fixed" in pane.svg.dataset || (from === LEFT && to === RIGHT)) return [0, pane.height];
    let top = Infinity, bottom = -Infinity;
    const see = y => { top = Math.min(top, y); bottom = Math.max(bottom, y); };
    for (const {xs, ys} of pane.series) {
      const end = Math.min(xs.length, firstFrom(xs, to) + 1);
      for (let at = Math.max(0, firstFrom(xs, from) - 1); at < end; at++) see(ys[at]);
    }
    for (const {x, y} of pane.marks) if (x >= from && x <= to) see(y);
    if (top > bottom) return [0, pane.height];
    const margin = Math.max(2, 0.06 * (bottom - top));
    return [top - margin, bottom + margin];
  }

  function draw() {
    for (const pane of panes) {
      const [top, bottom] = rows(pane);
      const down = y => percent((y - top) / (bottom - top));
      pane.plot.setAttribute("viewBox", `${from} ${top} ${to - from} ${bottom - top}`);
      let seen = 0;
      for (const {use, x, y} of pane.marks) {
        const inside = x >= from && x <= to;
        use.style.display = inside ? "" : "none";
        if (!inside) continue;
        seen += 1;
        use.setAttribute("x", across(x));
        use.setAttribute("y", down(y));
      }
      pane.svg.classList.toggle("dense", seen > MANY_MARKS);
      for (const text of pane.levels) {
        const y = pane.high - text.dataset.value / 10 ** pane.exponent;
        text.setAttribute("y", down(y));
        text.style.display = y > top && y < bottom ? "" : "none";
      }
      pane.grid.replaceChildren(...(to - from === span ? pane.whole : grid(pane, top, bottom, down)));
    }
  }

  function grid(pane, top, bottom, down) {
    const found = [];
    const least = (bottom - top) * 10 ** pane.exponent / Math.max(3, Math.floor(pane.svg.clientHeight / 30));
    const power = Math.floor(Math.log10(least));
    const unit = 10 ** power * [1, 2, 5, 10].find(digit => digit * 10 ** power >= least * (1 - 1e-9));
    const decimals = Math.max(0, -Math.floor(Math.log10(unit) + 1e-9));
    const highest = valueOf(pane, top);
    for (let k = Math.ceil(valueOf(pane, bottom) / unit); k * unit <= highest; k++) {
      const y = down(pane.high - k * unit / 10 ** pane.exponent);
      found.push(make("line", {x2: "100%", y1: y, y2: y}));
      found.push(make("text", {x: "100%", dx: 6, y, dy: ".32em"}, told(k * unit, decimals) + pane.svg.dataset.suffix));
    }
    for (let at = 0; at < TICKS; at++) {
      const slot = Math.round(from + (to - from) * (at + 0.5) / TICKS), x = across(slot);
      found.push(make("line", {x1: x, x2: x, y2: "100%"}));
      found.push(make("text", {class: at % 2 ? "time odd" : "time", x, y: "100%", dy: 14}, time(slot)));
    }
    return found;
  }

  function show(left, right) {
    const least = Math.min(LEAST, span), width = Math.min(span, Math.max(least, right - left));
    from = Math.max(LEFT, Math.min(RIGHT - width, (left + right - width) / 2));
    to = width === span ? RIGHT : from + width;
    requestAnimationFrame(draw);
  }

  function zoom(factor) {
    const middle = (from + to) / 2, half = factor ? (to - from) / factor / 2 : span;
    show(middle - half, middle + half);
  }

  function read(slot) {
    const words = [time(Math.round(slot))];
    for (const pane of panes) {
      pane.cursor.setAttribute("x1", across(slot));
      pane.cursor.setAttribute("x2", across(slot));
      pane.cursor.setAttribute("visibility", "visible");
      const decimals = +pane.svg.dataset.decimals, suffix = pane.svg.dataset.suffix;
      for (const {name, xs, ys} of pane.series) {
        if (!name || !xs.length) continue;
        const after = Math.min(firstFrom(xs, slot), xs.length - 1), before = Math.max(0, after - 1);
        const nearest = slot - xs[before] < xs[after] - slot ? before : after;
        words.push(`${name} ${told(valueOf(pane, ys[nearest]), decimals)}${suffix}`);
      }
    }
    output.textContent = words.join("  \u00b7  ");
  }

  function slotAt(event) {
    const box = event.currentTarget.getBoundingClientRect();
    return from + Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * (to - from);
  }

  function select(left, right) {
    for (const {selection} of panes) {
      selection.setAttribute("visibility", left === undefined ? "hidden" : "visible");
      if (left === undefined) continue;
      selection.setAttribute("x", across(left));
      selection.setAttribute("width", percent((right - left) / (to - from)));
    }
  }

  for (const {svg} of panes) {
    svg.addEventListener("pointermove", event => {
      const slot = slotAt(event);
      read(slot);
      if (dragged) select(Math.min(slot, dragged.slot), Math.max(slot, dragged.slot));
    });
    svg.addEventListener("pointerdown", event => {
      if (event.button) return;
      dragged = {slot: slotAt(event), x: event.clientX};
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointerup", event => {
      const slot = slotAt(event);
      if (dragged && Math.abs(event.clientX - dragged.x) > DRAG) {
        show(Math.min(slot, dragged.slot), Math.max(slot, dragged.slot));
      }
      dragged = null;
      select();
    });
    svg.addEventListener("pointercancel", () => { dragged = null; select(); });
    svg.addEventListener("dblclick", () => zoom(0));
  }
  for (const button of charts.querySelectorAll("button")) {
    button.addEventListener("click", () => zoom(+button.dataset.zoom));
  }
  charts.addEventListener("keydown", event => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const quarter = (to - from) / 4;
    const acts = {
      "+": () => zoom(2), "-": () => zoom(0.5), "0": () => zoom(0),
      ArrowLeft: () => show(from - quarter, to - quarter), ArrowRight: () => show(from + quarter, to + quarter),
    };
    if (!(event.key in acts)) return;
    acts[event.key]();
    event.preventDefault();
  });
  for (const link of document.querySelectorAll("a[data-from]")) {
    link.addEventListener("click", () => {
      const first = +link.dataset.from, last = +(link.dataset.to ?? span - 1);
      const around = Math.max(LEAST, (last - first) / 2);
      show(first - around, last + around);
    });
  }
  charts.querySelector(".controls").hidden = false;
  charts.tabIndex = 0;
  output.textContent = "Drag over a chart to zoom in, or use + - 0 and the arrow keys.";
})();
