// Drawing: from numbers to SVG. Nothing here knows a loss.

const SVG = "http://www.w3.org/2000/svg";
export const NAMES = ["A", "B", "C"];
export const REACH = 1.2; // the plot shows -REACH .. REACH in both directions
const SIDE = 560;
const SHAPES = [
  "M8 0A8 8 0 1 1-8 0A8 8 0 1 1 8 0Z",
  "M-7-7H7V7H-7Z",
  "M0-9.5L9 7H-9Z",
];

export function element(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export const toPixel = ([x, y]) => [((x / REACH + 1) * SIDE) / 2, ((1 - y / REACH) * SIDE) / 2];

export function toPlace(svg, event) {
  const box = svg.getBoundingClientRect();
  const inside = (share) => Math.max(-REACH, Math.min(REACH, (2 * share - 1) * REACH));
  return [
    inside((event.clientX - box.left) / box.width),
    inside(1 - (event.clientY - box.top) / box.height),
  ];
}

export function mark(label) {
  return element("svg", { class: `mark class-${label}`, viewBox: "-11 -11 22 22", "aria-hidden": "true" },
    element("path", { d: SHAPES[label] }));
}

export function score([w1, w2], b, [x, y]) {
  return w1 * x + w2 * y + b;
}

// The part of a polygon where a linear function is not negative (Sutherland and Hodgman).
function clip(polygon, f) {
  return polygon.flatMap((here, i) => {
    const before = polygon.at(i - 1);
    const [u, v] = [f(before), f(here)];
    const crossing = () => {
      const t = u / (u - v);
      return [before[0] + t * (here[0] - before[0]), before[1] + t * (here[1] - before[1])];
    };
    if (v >= 0) return u >= 0 ? [here] : [crossing(), here];
    return u >= 0 ? [crossing()] : [];
  });
}

const SQUARE = [[-REACH, -REACH], [REACH, -REACH], [REACH, REACH], [-REACH, REACH]];

function path(polygon) {
  return polygon.map((place, i) => `${i ? "L" : "M"}${toPixel(place).map((c) => c.toFixed(2)).join(" ")}`).join("");
}

function background(W, b) {
  const drawn = [];
  const allZero = W.flat().concat(b).every((w) => w === 0);
  for (const k of allZero ? [] : [0, 1, 2]) {
    const region = [0, 1, 2].filter((j) => j !== k).reduce(
      (polygon, j) => clip(polygon, (p) => score(W[k], b[k], p) - score(W[j], b[j], p)), SQUARE);
    if (region.length > 2) drawn.push(element("path", { class: `region class-${k}`, d: `${path(region)}Z` }));
  }
  const [ox, oy] = toPixel([0, 0]);
  drawn.push(element("path", { class: "axis", d: `M0 ${oy}H${SIDE}M${ox} 0V${SIDE}` }));
  for (const t of [-1, 1]) {
    const [x, y] = toPixel([t, t]);
    drawn.push(element("text", { class: "tick", x, y: oy + 15, "text-anchor": "middle" }, t < 0 ? "−1" : "1"));
    drawn.push(element("text", { class: "tick", x: ox + 5, y: y + 4 }, t < 0 ? "−1" : "1"));
  }
  for (const k of [0, 1, 2]) drawn.push(...zeroLine(W[k], b[k], k));
  drawn.push(element("rect", { class: "frame", x: 0.5, y: 0.5, width: SIDE - 1, height: SIDE - 1, rx: 6 }));
  return drawn;
}

function zeroLine(w, b, k) {
  const size = Math.hypot(...w);
  const above = clip(SQUARE, (p) => score(w, b, p));
  // The edge of the half-plane inside the square: the corners at which the score is zero.
  const ends = above.filter((p) => Math.abs(score(w, b, p)) <= 1e-9 * (Math.abs(b) + REACH * size));
  if (!(size > 0) || ends.length < 2) return [];
  const middle = [0, 1].map((d) => (ends[0][d] + ends[1][d]) / 2);
  const [x, y] = toPixel(middle);
  const [dx, dy] = [w[0] / size, -w[1] / size];
  const tip = [x + 30 * dx, y + 30 * dy];
  const head = [-1, 1].map((s) => `M${tip[0] - 9 * dx + s * 5 * dy} ${tip[1] - 9 * dy - s * 5 * dx}L${tip[0]} ${tip[1]}`);
  return [
    element("path", { class: `zero class-${k}`, d: path(ends.slice(0, 2)) }),
    element("path", { class: `arrow class-${k}`, d: `M${x} ${y}L${tip[0]} ${tip[1]}${head.join("")}` }),
  ];
}

// Points are kept from one drawing to the next, so that one that has the focus keeps it. Together they
// are one stop of the Tab key, at the point of index stop: two hundred would bar the way to the rest.
export function drawPlot(svg, { points, W, b, losses, stop }, describe) {
  let ground = svg.querySelector(".ground");
  let layer = svg.querySelector(".layer");
  if (!ground) {
    ground = element("g", { class: "ground", "aria-hidden": "true" });
    layer = element("g", { class: "layer" });
    svg.append(ground, layer);
  }
  ground.replaceChildren(...background(W, b));
  while (layer.children.length > points.length) layer.lastChild.remove();
  while (layer.children.length < points.length) {
    layer.append(element("g", { role: "button" },
      element("circle", { class: "cost" }), element("circle", { class: "halo", r: 15 }), element("path")));
  }
  points.forEach((point, i) => {
    const node = layer.children[i];
    const [x, y] = toPixel(point);
    node.setAttribute("class", `point class-${point[2]}`);
    node.setAttribute("transform", `translate(${x} ${y})`);
    node.setAttribute("aria-label", describe(i));
    node.setAttribute("tabindex", i === stop ? 0 : -1);
    node.dataset.index = i;
    node.querySelector("path").setAttribute("d", SHAPES[point[2]]);
    const loss = losses?.[i] ?? 0;
    node.querySelector(".cost").setAttribute("r", loss > 1e-9 ? 11 + 9 * Math.min(Math.sqrt(loss), 4) : 0);
  });
}

export function drawCurve(svg, { values, bounds, changes }) {
  const [left, top, width, height] = [44, 10, 366, 132];
  const finite = values.filter((v) => v !== null);
  if (!finite.length) return svg.replaceChildren();
  const ordered = [...finite].sort((a, b) => a - b);
  // One outlier, as after a random start, must not flatten all the rest.
  const highest = Math.min(ordered.at(-1), 10 * ordered[Math.floor(0.9 * (ordered.length - 1))] || ordered.at(-1)) || 1;
  const last = Math.max(values.length - 1, 1);
  const at = (i, v) => `${(left + (width * i) / last).toFixed(1)} ${(top + height * (1 - Math.min(v / highest, 1.05))).toFixed(1)}`;
  const trace = (row) => row.map((v, i) => (v === null ? "" : `${i && row[i - 1] !== null ? "L" : "M"}${at(i, v)}`)).join("");
  const drawn = [element("path", { class: "axis", d: `M${left} ${top}V${top + height}H${left + width}` })];
  for (const share of [0, 0.5, 1]) {
    drawn.push(element("text", { class: "tick", x: left - 6, y: top + height * (1 - share) + 4, "text-anchor": "end" },
      (share * highest).toPrecision(2).replace(/^0\.0$/, "0")));
  }
  drawn.push(element("text", { class: "tick", x: left + width, y: top + height + 18, "text-anchor": "end" }, `step ${values.length - 1}`));
  for (const i of changes) {
    if (i > 0) drawn.push(element("path", { class: "change", d: `M${at(i, 0)}V${top}` }));
  }
  drawn.push(element("path", { class: "bound", d: trace(bounds.map((v) => (v === null || v < 0 ? null : v))) }));
  drawn.push(element("path", { class: "line", d: trace(values) }));
  svg.replaceChildren(...drawn);
  svg.setAttribute("aria-label", `Loss curve: ${values.length} values, the last ${finite.at(-1).toPrecision(4)}`);
}
