// The state of the page, what is asked of sklin, and what hands do. The mathematics is sklin's.

import { NAMES, REACH, drawCurve, drawPlot, mark, score, toPlace } from "./plot.js";

const $ = (id) => document.getElementById(id);
const TITLES = {
  weston_watkins: "hinge, Weston–Watkins", weston_watkins_squared: "squared hinge, Weston–Watkins",
  crammer_singer: "hinge, Crammer–Singer (structured)", crammer_singer_squared: "squared hinge, Crammer–Singer",
  one_vs_rest: "hinge, one-vs-rest", one_vs_rest_squared: "squared hinge, one-vs-rest",
  cross_entropy: "cross-entropy (softmax)",
  l2: "L2", l1: "L1", elasticnet: "elastic net", group_l2: "group L2", max_norm: "max norm (1)", dropout: "dropout (0.5)",
  sgd: "SGD", adagrad: "AdaGrad", adam: "Adam", lbfgs: "L-BFGS", newton: "Newton",
  auto: "auto (sklin chooses)",
};
const DEFAULTS = { loss: "weston_watkins", regularizer: "l2", optimizer: "gradient_descent" };
const CENTRES = [[0.55, 0.4], [-0.5, 0.5], [0.05, -0.55]];
const FIRST_STEPS = 64;
const TOUCH = 18; // pixels around a point that are still the point

const state = { points: [], W: [[0, 0], [0, 0], [0, 0]], b: [0, 0, 0] };
const history = { values: [], bounds: [], changes: [] };
let options;
let shown = null; // what sklin said of the state
let plan = null; // the run whose iterates are being shown: { start, seed, steps, at, status, message }
let running = false;
let chosen = null; // index of the point that "Remove" removes
let version = 0; // of the state; answers about an older one are dropped

const title = (name) => TITLES[name] ?? name.replaceAll("_", " ");
const number = (value, digits = 3) => (value === null || value === undefined ? "∞"
  : Math.abs(value) >= 1e5 ? value.toExponential(2) : value.toFixed(digits)).replace("-", "−");
const power = (id) => 10 ** Number($(id).value);
const alpha = () => (Number($("alpha").value) <= Number($("alpha").min) ? 0 : power("alpha"));
const uniform = (size) => (2 * Math.random() - 1) * size;

// --- asking sklin ------------------------------------------------------------------------------

async function ask(path, question) {
  let answer;
  try {
    answer = await fetch(path, question && {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question),
    });
  } catch {
    throw new Error("The demo's server does not answer. Was it ended? Start it again and reload the page.");
  }
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content;
}

function question(more = {}) {
  return {
    points: state.points, W: state.W, b: state.b, loss: $("loss").value, regularizer: $("regularizer").value,
    optimizer: $("optimizer").value, alpha: alpha(), step_size: power("step-size"), seed: 0, n_steps: 1, ...more,
  };
}

function complain(sentence) {
  $("error").textContent = sentence;
  $("error").hidden = !sentence;
}

// What hands were told stays until they change something, whatever answers come meanwhile.
let told = "";
function tell(sentence) {
  told = sentence;
  complain(sentence);
}

let asking = false;
let stale = false;
// One question at a time, and the latest state last: a drag asks as often as answers come.
async function refresh() {
  draw();
  if (asking) { stale = true; return; }
  asking = true;
  do {
    stale = false;
    const of = version;
    try {
      const answer = await ask("evaluate", question());
      if (of === version) {
        shown = answer;
        complain(answer.refusal || told);
        if (!history.values.length || plan === null) record(answer.total, null);
      }
    } catch (error) {
      if (of === version) { shown = null; complain(error.message); pause(); }
    }
    draw();
  } while (stale);
  asking = false;
}

// Something was changed by hand: the run that was shown is over, and a new one begins from here.
function changed({ weights = false } = {}) {
  version += 1;
  plan = null;
  told = "";
  if (weights) { history.values = []; history.bounds = []; history.changes = []; }
  $("status").textContent = "";
  return refresh();
}

function record(value, bound) {
  if (plan === null) {
    // Values at hand-made changes replace each other: a drag is one change, not a hundred.
    if (history.changes.at(-1) === history.values.length - 1 && history.values.length) {
      history.values.pop(); history.bounds.pop(); history.changes.pop();
    }
    history.changes.push(history.values.length);
  }
  history.values.push(value);
  history.bounds.push(bound);
}

async function nextIterate() {
  const of = version;
  if (plan === null || (plan.at + 1 >= plan.steps.length && plan.status === "max_iter" && plan.asked < options.max_steps)) {
    const fresh = plan === null;
    const start = fresh ? { W: state.W, b: state.b } : plan.start;
    const seed = fresh ? Math.floor(Math.random() * 2 ** 31) : plan.seed;
    const asked = Math.min(fresh ? FIRST_STEPS : 4 * plan.asked, options.max_steps);
    const answer = await ask("run", question({ ...start, seed, n_steps: asked }));
    if (of !== version) return null; // changed meanwhile: the caller asks again
    plan = { start, seed, asked, at: fresh ? 0 : plan.at, ...answer };
  }
  if (plan.at + 1 >= plan.steps.length) return undefined;
  plan.at += 1;
  return plan.steps[plan.at];
}

let stepping = false;
async function step() {
  if (stepping) return;
  stepping = true;
  try {
    const iterate = await nextIterate();
    if (iterate === undefined) {
      $("status").textContent = plan.message;
      if (plan.status === "max_iter") plan = null; // the next step begins a new run from here
      pause();
    } else if (iterate !== null) {
      state.W = iterate.W.map((row) => [...row]);
      state.b = [...iterate.b];
      record(iterate.total, iterate.bound);
      version += 1;
      const gap = iterate.bound === null || iterate.total === null ? null : Math.max(0, iterate.total - iterate.bound);
      $("status").textContent = `Step ${plan.at}` + (gap === null ? "" : `: proven to be at most ${gap.toPrecision(2)} above the minimum (dashed: the bound)`);
      await refresh();
    }
  } catch (error) {
    complain(error.message);
    pause();
  } finally {
    stepping = false;
  }
}

function pause() {
  running = false;
  $("run").textContent = "Run";
  $("run").setAttribute("aria-pressed", "false");
  announce();
}

async function run() {
  running = true;
  $("run").textContent = "Pause";
  $("run").setAttribute("aria-pressed", "true");
  while (running) {
    await step();
    await new Promise((done) => setTimeout(done, 40));
  }
}

// --- showing -----------------------------------------------------------------------------------

function draw() {
  drawPlot($("plot"), { ...state, losses: shown?.losses, stop: chosen ?? 0 }, describe);
  drawCurve($("curve"), history);
  for (let k = 0; k < 3; k += 1) {
    [...state.W[k], state.b[k]].forEach((weight, d) => {
      const input = $(`weight-${k}-${d}`);
      if (document.activeElement !== input || running) input.value = Number(weight.toFixed(4));
      input.dataset.value = weight; // all digits
      const slope = shown && (d < 2 ? shown.gradient.W[k][d] : shown.gradient.b[k]);
      input.nextElementSibling.textContent = shown ? `∂ ${number(slope)}` : "∂ –";
    });
  }
  const right = state.points.filter((point) => best(point) === point[2]).length;
  $("accuracy").textContent = `${right} of ${state.points.length}`;
  for (const [id, key] of [["data-loss", "data"], ["penalty", "penalty"], ["total", "total"]]) {
    $(id).textContent = shown ? number(shown[key], 4) : "–";
    $(id).dataset.value = shown ? shown[key] : "";
  }
  drawTable();
  $("remove").disabled = chosen === null || state.points.length < 2;
  $("add").disabled = state.points.length >= (options?.max_points ?? 0);
  if (!running) announce();
}

let said;
// To a screen reader the loss is told once hands and optimizer rest, not at every frame.
function announce() {
  clearTimeout(said);
  said = setTimeout(() => {
    if (!running && shown) $("live").textContent = `Total loss ${number(shown.total, 4)}, ${$("accuracy").textContent} right. ${$("status").textContent}`;
  }, 400);
}

const scores = (point) => [0, 1, 2].map((k) => score(state.W[k], state.b[k], point));
const best = (point) => scores(point).reduce((top, s, k, all) => (s > all[top] ? k : top), 0);

function describe(i) {
  const [x, y, label] = state.points[i];
  const loss = shown?.losses[i];
  return `Point ${i + 1}, class ${NAMES[label]}, at ${number(x, 2)}, ${number(y, 2)}` + (loss === undefined ? "" : `, loss ${number(loss)}`);
}

function drawTable() {
  const body = $("points");
  while (body.children.length > state.points.length) body.lastChild.remove();
  while (body.children.length < state.points.length) {
    const row = body.insertRow();
    row.insertCell();
    row.insertCell();
    for (let k = 0; k < 4; k += 1) row.insertCell();
  }
  state.points.forEach((point, i) => {
    const row = body.rows[i];
    const top = best(point);
    row.className = `${top === point[2] ? "" : "wrong"} ${i === chosen ? "chosen" : ""}`;
    row.cells[0].textContent = i + 1;
    if (row.dataset.label !== String(point[2])) {
      row.cells[1].replaceChildren(mark(point[2]), ` ${NAMES[point[2]]}`);
      row.dataset.label = point[2];
    }
    scores(point).forEach((s, k) => {
      const cell = row.cells[2 + k];
      cell.textContent = number(s, 2);
      cell.className = k === top ? "best" : "";
    });
    row.cells[5].textContent = shown?.losses[i] === undefined ? "–" : number(shown.losses[i]);
  });
}

function note() {
  const [optimizer, regularizer] = [$("optimizer").value, $("regularizer").value];
  const sentences = [];
  const stepped = options.uses_step_size.includes(optimizer);
  $("step-size").disabled = !stepped;
  $("alpha").disabled = options.ignores_alpha.includes(regularizer);
  $("step-size-shown").textContent = stepped ? power("step-size").toPrecision(2) : "own";
  $("alpha-shown").textContent = $("alpha").disabled ? "unused" : alpha() === 0 ? "0" : alpha().toPrecision(2);
  if (options.uses_batches.includes(optimizer)) sentences.push(`A step is an epoch: each point once, in mini-batches of ${options.batch_size}.`);
  if (optimizer.startsWith("random")) sentences.push("A step is one random try; the step size is its standard deviation.");
  if (!stepped) sentences.push("This optimizer finds its step sizes by itself.");
  $("note").textContent = sentences.join(" ");
}

// --- hands -------------------------------------------------------------------------------------

function newPoints() {
  // Sums of three draws fall off like a bell, and stay inside the plot.
  const near = (centre) => centre + uniform(0.2) + uniform(0.2) + uniform(0.2);
  state.points = [0, 1, 2].flatMap((k) => [0, 1, 2, 3].map(() => [...CENTRES[k].map(near), k]));
  chosen = null;
}

function randomise() {
  state.W = state.W.map((row) => row.map(() => uniform(2)));
  state.b = state.b.map(() => uniform(1));
}

function choose(i) {
  chosen = i;
  draw();
}

function add(place) {
  if (state.points.length >= options.max_points) {
    tell(`The page holds ${options.max_points} points at most.`);
    return;
  }
  const label = Number(document.querySelector("input[name=class]:checked").value);
  state.points.push([...place, label]);
  changed();
  focus(state.points.length - 1);
}

function remove(i) {
  if (state.points.length < 2) { tell("One point must stay."); return; }
  state.points.splice(i, 1);
  chosen = null;
  changed();
  focus(Math.min(i, state.points.length - 1));
}

const focus = (i) => $("plot").querySelectorAll(".point")[i].focus();

// Of marks that lie close together the nearest is meant, not the one drawn last.
function nearest([x, y], reach) {
  const distances = state.points.map((point) => Math.hypot(point[0] - x, point[1] - y));
  const least = Math.min(...distances);
  return least <= reach ? distances.indexOf(least) : null;
}

function listenToPlot() {
  const svg = $("plot");
  const indexOf = (event) => event.target.closest?.(".point")?.dataset.index;
  const reach = () => (2 * REACH * TOUCH) / svg.getBoundingClientRect().width;
  // A finger on a point drags it; elsewhere it scrolls the page. The style touch-action of the
  // points did not do it: the browser took over after some pixels.
  svg.addEventListener("touchstart", (event) => {
    if (nearest(toPlace(svg, event.touches[0]), reach()) !== null && event.cancelable) event.preventDefault();
  }, { passive: false });
  let held = null; // index of the point that is dragged
  let pressed = null; // where an empty place was pressed; a swipe that scrolls the page adds nothing
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    event.preventDefault();
    held = nearest(toPlace(svg, event), reach());
    if (held === null) { pressed = [event.clientX, event.clientY]; return; }
    svg.setPointerCapture(event.pointerId);
    focus(held);
  });
  svg.addEventListener("pointermove", (event) => {
    if (held === null) return;
    state.points[held].splice(0, 2, ...toPlace(svg, event));
    changed();
  });
  svg.addEventListener("pointerup", (event) => {
    const still = pressed && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) < TOUCH;
    [held, pressed] = [null, null];
    if (still) add(toPlace(svg, event));
  });
  svg.addEventListener("pointercancel", () => { [held, pressed] = [null, null]; });
  // Not on the svg itself: Chromium makes one that listens to focus a stop of the Tab key.
  svg.parentElement.addEventListener("focusin", (event) => {
    if (indexOf(event)) choose(Number(indexOf(event)));
  });
  svg.addEventListener("keydown", (event) => {
    const index = Number(indexOf(event));
    const point = state.points[index];
    const last = state.points.length - 1;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };
    const turns = { PageUp: Math.max(index - 1, 0), PageDown: Math.min(index + 1, last), Home: 0, End: last };
    if (!point || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in moves) {
      const far = event.shiftKey ? 0.2 : 0.02;
      for (const d of [0, 1]) point[d] = Math.max(-REACH, Math.min(REACH, point[d] + far * moves[event.key][d]));
      changed();
    } else if (["1", "2", "3"].includes(event.key)) {
      point[2] = Number(event.key) - 1;
      changed();
    } else if (event.key in turns) {
      focus(turns[event.key]);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      remove(index);
    } else {
      return;
    }
    event.preventDefault();
  });
}

function build() {
  for (const field of ["loss", "regularizer", "optimizer"]) {
    $(field).append(...options[field].map((name) => new Option(title(name), name, false, name === DEFAULTS[field])));
    $(field).addEventListener("change", () => { note(); changed(); });
  }
  for (const id of ["step-size", "alpha"]) $(id).addEventListener("input", () => { note(); changed(); });
  for (let k = 0; k < 3; k += 1) {
    const label = document.createElement("label");
    const radio = Object.assign(document.createElement("input"), { type: "radio", name: "class", value: k, checked: k === 0 });
    label.append(radio, mark(k), NAMES[k]);
    $("classes").append(label);
    const row = $("weights").insertRow();
    const head = document.createElement("th");
    head.scope = "row";
    head.append(mark(k), ` ${NAMES[k]}`);
    row.append(head);
    ["W₁", "W₂", "b"].forEach((name, d) => {
      const input = Object.assign(document.createElement("input"), { type: "number", step: 0.1, id: `weight-${k}-${d}` });
      input.setAttribute("aria-label", `${name} of class ${NAMES[k]}`);
      input.addEventListener("input", () => {
        if (input.value === "" || !Number.isFinite(input.valueAsNumber)) return;
        if (d < 2) state.W[k][d] = input.valueAsNumber;
        else state.b[k] = input.valueAsNumber;
        changed();
      });
      const slope = Object.assign(document.createElement("span"), { className: "slope" });
      row.insertCell().append(input, slope);
    });
  }
  $("step").addEventListener("click", () => { pause(); step(); });
  $("run").addEventListener("click", () => (running ? pause() : run()));
  $("randomise").addEventListener("click", () => { randomise(); changed({ weights: true }); });
  $("zero").addEventListener("click", () => {
    state.W = [[0, 0], [0, 0], [0, 0]];
    state.b = [0, 0, 0];
    changed({ weights: true });
  });
  $("new-points").addEventListener("click", () => { newPoints(); changed({ weights: true }); });
  $("add").addEventListener("click", () => add([uniform(0.3), uniform(0.3)]));
  $("remove").addEventListener("click", () => { if (chosen !== null) remove(chosen); });
  listenToPlot();
}

async function begin() {
  try {
    options = await ask("options");
    newPoints();
    randomise();
    build();
    note();
    await changed();
    document.body.dataset.ready = "yes";
  } catch (error) {
    complain(error.message);
  }
}

begin();
