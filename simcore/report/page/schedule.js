// One picture of a schedule, for a page and for a notebook's widget: render({ model, el }), as anywidget calls it.
// `model.get("film")` is a film as simcore.report.page makes it. Every text of it becomes a text node, never markup.

const NARROW = 30, WIDE = 58, ROW = 28, HEAD = 24, MOST_ROWS = 200, MOST_SLOTS = 24, MOST_LINES = 16;
const MOST_STEADY = 60, TRIED = 6;
const PAPER = 690, PAPER_NAMES = 180, MOST_PRINTED = 1_000, MOST_PRINTED_LANES = 30;
const STATUS = {
  enabled: "can move", blocked: "waits", limited: "waits, for a time", idle: "no task", done: "has ended",
  failed: "has failed", still: "cannot move", unknown: "between its steps: not known",
};
const WAITS = new Set(["blocked", "limited"]);
const SIGN = { enabled: "▸", blocked: "■", limited: "◧", idle: "○", done: "▪", failed: "✗", still: "□", unknown: "" };
const SVG = "http://www.w3.org/2000/svg";

function add(parent, name, text = "", attributes = {}) {
  const made = parent.namespaceURI === SVG || name === "svg"
    ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== "") made.textContent = text;
  parent.append(made);
  return made;
}

function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** `text`, or its beginning and its end: names of one kind often differ there. */
const middle = (text, most) => (text.length > most ? `${text.slice(0, Math.ceil((most - 1) / 2))}…${text.slice(-Math.floor((most - 1) / 2))}` : text);

const short = (text, most = 60) => (text.length > most ? `${text.slice(0, most)}…` : text);

function set(node, key, value) {
  if (node.getAttribute(key) !== value) node.setAttribute(key, value);
}

// ---- what is known at a step ---------------------------------------------------------------------------

/** For each of `count` parts, its values with the position from which on each holds, oldest first. */
function histories(count, first, frames, member, key) {
  const all = Array.from({ length: count }, () => []);
  for (const each of first) all[each[key]].push({ at: 0, is: each });
  frames.forEach((frame, number) => {
    for (const each of frame[member]) all[each[key]].push({ at: number + 1, is: each });
  });
  return all;
}

/** The place in a history of what holds at a position; -1 where nothing is known yet. */
function placeAt(history, position) {
  let low = 0, high = history.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (history[middle].at <= position) low = middle + 1; else high = middle;
  }
  return low - 1;
}

function at(history, position) {
  const place = placeAt(history, position);
  return place < 0 ? null : history[place].is;
}

/** Lanes in the order in which they are drawn: workers together, under a row for their pool. */
function rowsOf(lanes) {
  const rows = [], seen = new Set();
  lanes.forEach((lane, number) => {
    if (!lane.pool) {
      rows.push({ lane: number, name: lane.name });
    } else if (!seen.has(lane.pool)) {
      seen.add(lane.pool);
      const workers = lanes.map((_, other) => other).filter((other) => lanes[other].pool === lane.pool);
      const many = `${workers.length} worker${workers.length === 1 ? "" : "s"}`;
      rows.push({ lane: -1, name: lane.pool, note: many });
      for (const worker of workers) rows.push({ lane: worker, name: lanes[worker].name, inside: true });
    }
  });
  return rows;
}

// ---- the parts of the picture --------------------------------------------------------------------------

function header(el, film, go) {
  const head = add(el, "header");
  const [sign, kind] = {
    violated: ["✗", "bad"], stuck: ["✗", "bad"], failed: ["✗", "bad"], holds: ["✓", "good"], completed: ["✓", "good"],
  }[film.verdict] || ["?", "open"];
  const title = add(head, "h1");
  if (film.verdict) add(title, "span", `${sign} ${film.verdict}${film.answer ? ":" : ""}`, { class: `verdict ${kind}` });
  add(title, "span", film.answer || (film.verdict ? "" : `a schedule of ${film.frames.length} step${film.frames.length === 1 ? "" : "s"}`));
  add(head, "p", film.title, { class: "asked" });
  if (film.why.length) {
    let why = add(head, "ul", "", { class: "why" });
    film.why.forEach((line, number) => {
      if (number === MOST_LINES) {
        const more = add(head, "details");
        add(more, "summary", `${film.why.length - MOST_LINES} more lines`);
        why = add(more, "ul", "", { class: "why" });
      }
      withSteps(add(why, "li", "", { style: `--deep:${Math.min(3, line.search(/\S/) / 2)}rem` }), line.trim(), film, go);
    });
  }
  if (film.turn) {
    const turn = add(head, "p", "", { class: "turn" });
    add(turn, "span", "◆ ", { "aria-hidden": "true" });
    add(turn, "span", film.turn.text);
    if (film.turn.step) {
      const jump = add(turn, "button", "Show it", { type: "button" });
      jump.onclick = () => go(film.turn.step - film.first, true);
    }
  } else if (film.no_turn && film.frames.length) {
    add(head, "p", film.no_turn, { class: "fact no-turn" });
  }
  if (film.counted) add(head, "p", film.counted, { class: "fact counted" });
  const found = film.frames.length && film.facts.length ? add(head, "details", "", { class: "found" }) : head;
  if (found !== head) add(found, "summary", "How it was found");
  for (const fact of film.facts) add(found, "p", fact, { class: "fact" });
  if (!film.lanes.length && !film.drawing.nodes.length) add(head, "p", "There is no schedule to show.", { class: "none" });
}

/** The places of those with the most to show, the most first. */
function longest(all, size, many) {
  return all.map((one, place) => [size(one), place]).sort((one, two) => two[0] - one[0]).slice(0, many).map(([, place]) => place);
}

/** Have boxes keep their size from step to step: each is as high as at the steps where it has the most to show. */
function keepSizes(parts, standings, position) {
  const boxes = parts.flatMap((part) => part.boxes || []), heights = new Map(), asked = new Map();
  for (const { box, at: steps } of boxes) {
    box.style.height = box.style.minHeight = "";
    for (const step of steps) asked.set(step, [...(asked.get(step) || []), box]);
  }
  for (const [step, those] of asked) {
    parts.forEach((part) => part.show(step, standings));
    for (const box of those) heights.set(box, Math.max(heights.get(box) || 0, Math.ceil(box.getBoundingClientRect().height)));
  }
  for (const [box, high] of heights) box.style[box.localName === "tr" ? "height" : "minHeight"] = `${high}px`;
  parts.forEach((part) => part.show(position, standings));
}

/** A sentence in which each step that it names can be gone to. */
function withSteps(el, text, film, go) {
  for (const part of text.split(/(\bstep \d+\b)/)) {
    const place = /^step \d+$/.test(part) ? Number(part.slice(5)) - film.first : 0;
    if (place < 1 || place > film.frames.length) { el.append(part); continue; }
    add(el, "button", part, { type: "button", class: "link inline" }).onclick = () => go(place, true);
  }
}

function controls(el, film, go, now) {
  const count = film.frames.length;
  const bar = add(el, "div", "", { class: "controls", role: "group", "aria-label": "Go through the schedule" });
  const button = (text, label, act) => {
    const made = add(bar, "button", text, { type: "button", "aria-label": label, title: label });
    made.onclick = act;
    return made;
  };
  let timer = 0;
  const stop = () => { clearInterval(timer); timer = 0; say(play, "▶ Play"); set(play, "aria-label", "Play"); };
  const start = () => {
    if (now() >= count && film.lasso == null) go(0);
    say(play, "❚❚ Pause");
    set(play, "aria-label", "Pause");
    timer = setInterval(() => {
      if (now() < count) go(now() + 1);
      else if (film.lasso != null) go(film.lasso);
      else stop();
    }, 700);
  };
  button("|◀", "To the start", () => go(0));
  button("◀", "One step back (left arrow)", () => go(now() - 1));
  const play = button("▶ Play", "Play", () => (timer ? stop() : start()));
  button("▶", "One step on (right arrow)", () => go(now() + 1));
  button("▶|", "To the end", () => go(count));
  if (film.turn && film.turn.step > film.first) {
    button("◆ Point of no return", "To the point of no return (p)", () => go(film.turn.step - film.first, true));
  }
  const slider = add(bar, "input", "", {
    type: "range", min: "0", max: String(count), step: "1", value: "0", "aria-label": "Step of the schedule",
  });
  slider.oninput = () => go(Number(slider.value));
  const told = add(bar, "output", "", { class: "position" });
  const turn = film.turn && film.turn.step > film.first ? "; p: the point of no return" : "";
  add(bar, "small", `Keys: ← → one step${turn}; on the slider or the lanes: Page Up, Page Down ten steps, Home, End`, { class: "keys" });
  return {
    stop,
    show(position, words) {
      if (Number(slider.value) !== position) slider.value = String(position);
      set(slider, "aria-valuetext", words);
      say(told, `${film.first + position} of ${film.first + count}`);
    },
  };
}

/** The lanes: one drawing of what is in view, however many steps and lanes there are. */
function lanesOf(el, film, standings, values, go, part = null) {
  const rows = part ? part.rows : rowsOf(film.lanes), rowOf = new Map(rows.map((row, number) => [row.lane, number]));
  const count = film.frames.length, knot = new Set(film.knot), later = film.frames.map(() => []);
  film.frames.forEach((frame, number) => {
    for (const [source] of frame.comes_from) if (source > film.first) later[source - film.first - 1].push(number + 1);
  });
  const outer = add(el, "div", "", { class: "lanes", ...(part ? {} : { tabindex: "0" }), role: "group" });
  set(outer, "aria-label", `${film.lanes.length} lanes with ${count} steps; a table of the steps follows below`);
  const space = add(outer, "div", "", { class: "space" });
  const view = add(space, "div", "", { class: "view", "aria-hidden": "true" });
  const svg = add(view, "svg"), names = add(view, "div", "", { class: "names" });
  let position = 0, wanted = 0;

  const pen = document.createElement("canvas").getContext("2d");
  let column = NARROW;
  const longest = Math.max(...rows.map((row) => row.name.length + (row.inside ? 2 : 0) + (row.note ? row.note.length + 1 : 0)));
  const labels = () => part ? PAPER_NAMES : Math.min(Math.max(90, 8 * longest + 20), outer.clientWidth < 640 ? 128 : outer.clientWidth < 1100 ? 200 : 280);
  const look = () => (part
    ? { width: PAPER, scroll: (part.from - 1) * column, down: 0 }
    : { width: outer.clientWidth, scroll: outer.scrollLeft, down: outer.scrollTop });
  const line = (group, x1, y1, x2, y2, kind) => add(group, "line", "", { x1, y1, x2, y2, class: kind });

  function draw() {
    wanted = 0;
    const { width, scroll, down } = look(), left = labels(), whole = HEAD + rows.length * ROW + 4;
    const height = part ? whole : Math.min(whole, outer.clientHeight || 400);
    const x = (step) => left + (step - 0.5) * column - scroll, y = (row) => HEAD + (row + 0.5) * ROW - down;
    const from = part ? part.from : Math.max(1, Math.floor(scroll / column));
    const to = part ? part.to : Math.min(count, Math.ceil((scroll + width - left) / column) + 1);
    const top = Math.max(0, Math.floor(down / ROW)), end = Math.min(rows.length, Math.ceil((down + height) / ROW));
    svg.replaceChildren();
    names.replaceChildren();
    for (const [key, value] of [["width", width], ["height", height]]) set(svg, key, String(value));
    set(names, "style", `width:${left}px;height:${height}px`);
    regions(x, from, to, height);
    for (let row = top; row < end; row += 1) lane(row, x, y, from, to, left, height);
    for (let step = from; step <= to; step += 1) {
      for (const [source] of film.frames[step - 1].comes_from) {
        if (source > film.first) arrow(source - film.first, step, x, y);
      }
      for (const target of later[step - 1]) if (target > to) arrow(step, target, x, y);
    }
    for (let step = from; step <= to; step += 1) mark(step, x, y, top, end);
    for (let row = top; row < end; row += 1) if (rows[row].lane >= 0 && to === count) ending(row, x, y);
    say(add(names, "div", "", { class: "corner", style: `height:${HEAD}px` }), "step");
    numbers(x, from, to);
  }

  function regions(x, from, to, height) {
    const region = (start, kind) => add(svg, "rect", "", {
      x: x(start) - column / 2, y: 0, width: Math.max(0, x(count) - x(start) + 1.5 * column), height, class: kind,
    });
    const turn = film.turn && film.turn.step ? film.turn.step - film.first : 0;
    if (turn > 0) {
      region(turn + 1, "lost");
      line(svg, x(turn) + column / 2, 0, x(turn) + column / 2, height, "no-return");
    }
    if (film.lasso != null) {
      region(film.lasso + 1, "lasso");
      line(svg, x(film.lasso) + column / 2, 0, x(film.lasso) + column / 2, height, "round");
    }
    if (position >= from && position <= to) {
      add(svg, "rect", "", { x: x(position) - column / 2, y: 0, width: column, height, class: "now" });
    }
  }

  function numbers(x, from, to) {
    add(svg, "rect", "", { x: 0, y: 0, width: look().width, height: HEAD, class: "head" });
    const turn = film.turn ? film.turn.step - film.first : 0;
    for (let step = from; step <= to; step += 1) {
      const shown = step === turn ? `◆${step + film.first}` : step === film.lasso + 1 && film.lasso != null
        ? `↻${step + film.first}` : String(step + film.first);
      const kind = step === turn ? "number bad" : step === position ? "number here" : "number";
      add(svg, "text", shown, { x: x(step), y: HEAD - 8, class: kind });
    }
  }

  function lane(row, x, y, from, to, left) {
    const { lane: number, name, note, inside } = rows[row];
    const bold = number < 0 || knot.has(name), label = add(names, "div", "", {
      class: number < 0 ? "pool" : knot.has(name) ? "name knotted" : "name", style: `top:${y(row) - ROW / 2}px;height:${ROW}px`,
      title: name,
    });
    if (inside) label.classList.add("inside");
    const [text, dense] = fitted(name, left - (inside ? 30 : 20), note ? 1 : 2, bold);
    add(label, "span", text, dense ? { class: "dense" } : {});
    if (note) add(label, "small", ` ${note}`);
    if (number < 0) { busy(name, x, y(row), to, left); return; }
    const history = standings[number];
    let place = Math.max(0, placeAt(history, from - 1));
    for (; place < history.length && history[place].at <= to; place += 1) {
      const begins = history[place].at, ends = place + 1 < history.length ? history[place + 1].at : count + 1;
      const one = begins === 0 ? left - look().scroll : x(begins);
      line(svg, Math.max(one, left - column), y(row), Math.min(x(ends), x(to + 1)), y(row), `line ${history[place].is.status}`);
    }
  }

  /** A name as it goes into so many lines: broken at its words, or else anywhere and without its middle. */
  function fitted(name, room, lines, bold) {
    pen.font = `${bold ? 700 : 400} 12.5px system-ui, sans-serif`;
    const wide = (text) => pen.measureText(text).width;
    let line = 1, used = 0, fits = name.length < 200;
    for (const word of fits ? name.split(/(?<= )/) : []) {
      if (used && used + wide(word.trimEnd()) > room) { line += 1; used = 0; }
      used += wide(word);
      fits = fits && wide(word.trimEnd()) <= room;
    }
    if (fits && line <= lines) return [name, false];
    let most = Math.min(name.length, 200);
    while (most > 4 && wide(middle(name, most)) > lines * (room - 9)) most -= 1;
    return [middle(name, most), true];
  }

  /** How many workers of a pool are busy, over the steps. */
  function busy(pool, x, y, to, left) {
    const history = values[film.things.findIndex((thing) => thing.kind === "pool" && thing.name === pool)] || [];
    history.forEach(({ at: begins, is: { used, limit } }, place) => {
      const ends = place + 1 < history.length ? history[place + 1].at : count + 1;
      const one = Math.max(left, begins === 0 ? left - look().scroll : x(begins)), two = Math.min(x(ends), x(to + 1));
      const tall = limit ? (ROW - 10) * used / limit : 0;
      if (used && two > one) {
        add(svg, "rect", "", { x: one, y: y + ROW / 2 - 3 - tall, width: two - one, height: tall, class: used === limit ? "busy full" : "busy" });
      }
    });
  }

  function arrow(source, target, x, y) {
    const one = rowOf.get(film.frames[source - 1].lane), two = rowOf.get(film.frames[target - 1].lane);
    if (one === two || one == null || two == null) return;
    const down = two > one ? 1 : -1, near = source === position || target === position;
    const x1 = x(source), y1 = y(one) + 9 * down, x2 = x(target), y2 = y(two) - 12 * down, bend = Math.min(60, Math.abs(y2 - y1) / 2);
    const kind = near ? "arrow near" : "arrow";
    add(svg, "path", "", { d: `M${x1} ${y1} C${x1} ${y1 + bend * down} ${x2} ${y2 - bend * down} ${x2} ${y2}`, class: kind });
    add(svg, "path", "", { d: `M${x2 - 4} ${y2 - 3 * down} L${x2} ${y2 + 3 * down} L${x2 + 4} ${y2 - 3 * down} Z`, class: `${kind} tip` });
  }

  function mark(step, x, y, top, end) {
    const row = rowOf.get(film.frames[step - 1].lane);
    if (row == null || row < top - 1 || row > end) return;
    const group = add(svg, "g"), cx = x(step), cy = y(row);
    const turn = film.turn && step === film.turn.step - film.first;
    const kind = `mark${step === position ? " here" : ""}${step > position ? " later" : ""}${turn ? " bad" : ""}`;
    const size = step === position ? 11 : 8;
    if (turn) add(group, "path", "", { d: `M${cx} ${cy - size - 3} l${size + 3} ${size + 3} l-${size + 3} ${size + 3} l-${size + 3} -${size + 3} Z`, class: kind });
    else add(group, "circle", "", { cx, cy, r: size, class: kind });
  }

  function ending(row, x, y) {
    const { lane: number, name } = rows[row], last = at(standings[number], count);
    const stands = last ? last.status : "unknown";
    add(svg, "text", SIGN[stands], { x: x(count + 1), y: y(row) + 5, class: `ending ${stands}${knot.has(name) ? " knotted" : ""}` });
  }

  if (part) {
    position = count;
    space.style.width = `${PAPER}px`;
    space.style.height = `${HEAD + rows.length * ROW + 4}px`;
    draw();
    return { stop() {}, show() {} };
  }
  const soon = () => { wanted = wanted || requestAnimationFrame(draw); };
  outer.addEventListener("scroll", soon, { passive: true });
  view.addEventListener("click", (event) => {
    const step = Math.round((event.clientX - view.getBoundingClientRect().left - labels() + outer.scrollLeft) / column + 0.5);
    if (step >= 1 && step <= count) go(step);
  });
  const watch = new ResizeObserver(() => { fit(); soon(); });
  watch.observe(outer);

  function fit() {
    column = Math.max(NARROW, Math.min(WIDE, Math.floor((outer.clientWidth - labels() - 2) / (count + 1.5))));
    space.style.width = `${Math.max(outer.clientWidth, labels() + (count + 1.5) * column)}px`;
    space.style.height = `${HEAD + rows.length * ROW + 4}px`;
  }

  fit();
  return {
    stop: () => watch.disconnect(),
    show(next) {
      position = next;
      const left = labels(), room = outer.clientWidth - left, middle = (next - 0.5) * column;
      if (middle - outer.scrollLeft < column || middle - outer.scrollLeft > room - 2 * column) {
        outer.scrollLeft = middle - room / 2;
      }
      const row = next ? rowOf.get(film.frames[next - 1].lane) : 0, y = row * ROW;
      if (y < outer.scrollTop || y > outer.scrollTop + outer.clientHeight - HEAD - ROW) outer.scrollTop = y - outer.clientHeight / 2;
      soon();
    },
  };
}

/** All lanes on paper: so many steps in a row of the drawing, and so many lanes, that none is cut. */
function paperOf(el, film, standings, values) {
  const sheet = add(el, "div", "", { class: "paper" }), lanes = rowsOf(film.lanes), count = film.frames.length;
  const many = Math.floor((PAPER - PAPER_NAMES - NARROW) / NARROW), first = Math.max(0, count - MOST_PRINTED);
  if (first) add(sheet, "p", `The last ${MOST_PRINTED.toLocaleString("en")} steps as lanes; the table below has all.`, { class: "fact" });
  for (let from = first + 1; from <= count; from += many) {
    for (let top = 0; top < lanes.length; top += MOST_PRINTED_LANES) {
      const part = { from, to: Math.min(count, from + many - 1), rows: lanes.slice(top, top + MOST_PRINTED_LANES) };
      lanesOf(sheet, film, standings, values, () => {}, part);
    }
  }
  legend(sheet, film);
  return sheet;
}

function legend(el, film) {
  const used = new Set([...film.standings, ...film.frames.flatMap((frame) => frame.standings)].map((one) => one.status));
  const list = add(el, "ul", "", { class: "legend" });
  for (const status of Object.keys(STATUS)) {
    if (!used.has(status)) continue;
    const item = add(list, "li");
    const svg = add(item, "svg", "", { width: 34, height: 14, "aria-hidden": "true" });
    add(svg, "line", "", { x1: 0, y1: 7, x2: 34, y2: 7, class: `line ${status}` });
    add(item, "span", `${SIGN[status]} ${STATUS[status]}`.trim());
  }
  if (film.things.some((thing) => thing.kind === "pool")) add(list, "li", "▆ busy workers of a pool");
  if (film.frames.some((frame) => frame.comes_from.length)) add(list, "li", "→ hands over, or lets go on");
  const lost = film.turn && film.turn.exact ? "; shaded: no good end any more" : ", as far as is known";
  if (film.turn && film.turn.step) add(list, "li", `◆ point of no return${lost}`);
  if (film.lasso != null) add(list, "li", "↻ from here on, for ever");
  if (film.knot.length) add(list, "li", "red name: in the knot");
}

function stepCard(el, film, go) {
  const card = add(el, "section", "", { class: "card step", "aria-label": "The step" });
  const live = add(card, "div", "", { "aria-live": "polite", "aria-atomic": "true" });
  const number = add(live, "p", "", { class: "which" }), words = add(live, "p", "", { class: "words" });
  const about = add(card, "p", "", { class: "about" }), from = add(card, "p", "", { class: "from" });
  const note = add(card, "p", "", { class: "turn" }), could = add(card, "p", "", { class: "could" });
  const turn = film.turn ? [Math.max(0, film.turn.step - film.first)] : [];
  const most = longest(film.frames, (frame) => frame.text.length + frame.result.length + 80 * frame.comes_from.length, TRIED);
  return {
    boxes: [{ box: card, at: [0, ...most.map((number) => number + 1), ...turn] }],
    show(position, standings) {
      const frame = position ? film.frames[position - 1] : null;
      say(number, frame ? `Step ${film.first + position} of ${film.first + film.frames.length}` : "Before the first step");
      say(words, frame ? `${short(film.lanes[frame.lane].name)} ${frame.text}${frame.result ? ` → ${frame.result}` : ""}` : film.title);
      const when = frame && frame.time != null ? `at ${Number(frame.time.toPrecision(6))} s${film.seconds ? `, ${film.seconds} time` : ""}` : "";
      say(about, frame ? [frame.place && `in ${frame.place}`, when].filter(Boolean).join(", ") : "");
      from.replaceChildren();
      for (const [source, how] of frame ? frame.comes_from : []) {
        const other = film.frames[source - film.first - 1];
        const told = other ? `step ${source}, ${short(film.lanes[other.lane].name)} ${short(other.text, 120)},` : `step ${source}`;
        const link = add(from, "button", `${told} ${how === "hands over" ? "has put that there" : "has let it go on"}`, { type: "button", class: "link" });
        if (other) link.onclick = () => go(source - film.first);
      }
      const turn = film.turn ? film.turn.step - film.first : 0;
      const round = film.lasso != null && position > film.lasso ? `↻ repeated for ever: steps ${film.first + film.lasso + 1} to ${film.first + film.frames.length}` : "";
      const lost = position && position === turn ? `◆ ${film.turn.text}` : turn > 0 && position > turn && film.turn.exact
        ? `◆ past the point of no return (step ${film.turn.step})` : "";
      say(note, [lost, round].filter(Boolean).join(" · "));
      if (!position || film.lanes.length > MOST_ROWS) { say(could, ""); return; }
      const before = standings.map((history) => at(history, position - 1));
      const movers = film.lanes.filter((_, lane) => before[lane] && before[lane].status === "enabled").map((lane) => short(lane.name));
      const known = before.every((one) => one && one.status !== "unknown");
      say(could, known ? `Enabled before it: ${movers.join(", ") || "nobody, but for time that passes"}` : "");
    },
  };
}

function slots(parent, used, limit) {
  if (used == null) return;
  const of = limit == null ? `${used} in use` : `${used} of ${limit} in use`;
  const row = add(parent, "span", "", { class: "slots" });
  if (limit != null && limit <= MOST_SLOTS) {
    const boxes = add(row, "span", "", { class: "boxes", "aria-hidden": "true" });
    for (let slot = 0; slot < limit; slot += 1) add(boxes, "i", "", { class: slot < used ? "used" : "" });
  }
  add(row, "span", of, { class: limit != null && used >= limit ? "full" : "" });
}

/** Whether `text` has `name` in it, and not as a part of another name. */
function named(text, name) {
  for (let from = text.indexOf(name); name && from >= 0; from = text.indexOf(name, from + 1)) {
    if (!/[\w.]/.test(text[from - 1] || " ") && !/[\w[]/.test(text[from + name.length] || " ")) return true;
  }
  return false;
}

function objectsOf(el, film, values) {
  if (!film.things.length) return { show() {} };
  const card = add(el, "section", "", { class: "card objects" });
  add(add(card, "h2", "Objects"), "span", " at the end", { class: "on-paper" });
  const list = add(card, "ul", "", { tabindex: "0", "aria-label": "Objects and their values" });
  const told = [...film.drawing.nodes.flatMap((node) => node.names), ...new Set(film.frames.map((frame) => frame.text))].join("\n");
  const folded = film.things.map((thing, number) => !named(told, thing.name) && values[number].length < 2 && !(values[number][0] && values[number][0].at));
  const still = folded.filter(Boolean).length, all = still === film.things.length;
  const other = still && !all ? add(add(card, "details"), "summary", `${still} that no step changes or names, and nobody waits for`).parentNode : null;
  const rest = other ? add(other, "ul") : list;
  const items = film.things.map((thing, number) => ({ item: add(folded[number] ? rest : list, "li"), thing, shown: null }));
  const room = items.length <= MOST_STEADY, code = film.lanes.some((lane) => lane.kind === "thread");
  const size = ({ is: { text, items: inside } }) => (text ? text.length : 0) + 60 * inside.length;
  return {
    boxes: room ? items.map(({ item }, number) => ({ box: item, at: longest(values[number], size, 2).map((place) => values[number][place].at) })) : [],
    show(position) {
      items.forEach((each, number) => {
        const history = values[number], place = placeAt(history, position), value = place < 0 ? null : history[place].is;
        const changed = place > 0 || (place === 0 && history[0].at > 0) ? history[place].at === position : false;
        const key = `${place} ${changed}`;
        if (each.shown === key) return;
        each.shown = key;
        const before = place > 0 ? history[place - 1].is : null;
        object(each.item, each.thing, value, changed, before, room && (code ? "no step has named it yet" : "not there yet"));
      });
    },
  };
}

function object(item, thing, value, changed, before, missing) {
  const absent = !value || value.text == null;
  item.replaceChildren();
  item.hidden = absent && !missing;
  set(item, "class", absent ? "absent" : changed ? "changed" : "");
  if (item.hidden) return;
  const head = add(item, "div");
  add(head, "b", short(thing.name, 90), { title: thing.name });
  add(head, "small", ` ${thing.kind}`);
  if (absent) { add(item, "span", before ? "not there any more" : missing, { class: "value" }); return; }
  if (changed) add(head, "span", before && before.text != null ? " ● changed" : " ● new", { class: "flag" });
  slots(item, value.used, value.limit);
  if (value.items && value.items.length) {
    add(item, "small", thing.kind === "pool" ? "queued, the next one first:" : "the first to come out first:");
    const queue = add(item, "ol");
    value.items.forEach((text) => add(queue, "li", text));
  } else {
    add(item, "span", thing.kind === "pool" && value.text === "[]" ? "nothing queued" : value.text, { class: "value" });
  }
  const told = value.items && (value.items.length || (before && before.items && before.items.length));
  if (changed && !told && before && before.text != null && before.text !== value.text) add(item, "small", `before: ${before.text}`, { class: "before" });
}

function processesOf(el, film, standings) {
  if (!film.lanes.length) return { show() {} };
  const card = add(el, "section", "", { class: "card processes" });
  const title = add(card, "h2", film.lanes.some((lane) => lane.kind === "thread") ? "Threads" : "Processes");
  add(title, "span", " at the end", { class: "on-paper" });
  const table = add(add(card, "div", "", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Who waits for what" }), "table", "", { role: "table" });
  const head = add(add(table, "thead"), "tr", "", { role: "row" }), body = add(table, "tbody");
  for (const text of ["who", "now", "what"]) add(head, "th", text, { scope: "col", role: "columnheader" });
  const lanes = rowsOf(film.lanes).filter((row) => row.lane >= 0).slice(0, MOST_ROWS).map((row) => row.lane);
  const knot = new Set(film.knot), stuck = new Set(film.stuck);
  const rows = lanes.map((lane) => {
    const row = add(body, "tr", "", { role: "row" });
    add(row, "th", short(film.lanes[lane].name), { scope: "row", role: "rowheader", title: film.lanes[lane].name, class: knot.has(film.lanes[lane].name) ? "knotted" : "" });
    return { lane, row, status: add(row, "td", "", { role: "cell" }), words: add(row, "td", "", { role: "cell" }) };
  });
  if (film.lanes.length > lanes.length) add(card, "p", `${film.lanes.length - lanes.length} more are not in this list`, { class: "fact" });
  const size = ({ is }) => is.task.length + is.words.length + is.place.length;
  return {
    boxes: rows.slice(0, MOST_STEADY).map(({ row, lane }) => ({ box: row, at: longest(standings[lane], size, 1).map((place) => standings[lane][place].at) })),
    show(position) {
      const mover = position ? film.frames[position - 1].lane : -1;
      for (const { lane, row, status, words } of rows) {
        const stands = at(standings[lane], position) || { status: "unknown", words: "", task: "", place: "" };
        set(row, "class", `${stands.status}${lane === mover ? " mover" : ""}`);
        const ever = position === film.frames.length && stuck.has(film.lanes[lane].name) && WAITS.has(stands.status);
        say(status, stands.status === "unknown" ? "" : `${SIGN[stands.status]} ${ever ? "waits for ever" : STATUS[stands.status]}`);
        const where = stands.place && stands.status !== "idle" ? ` (${stands.place.replace(/^.*\(([^()]+:\d+)\)$/, "$1")})` : "";
        say(words, `${stands.task ? `in ${stands.task}: ` : ""}${stands.words}${stands.words || stands.task ? where : ""}`);
      }
    },
  };
}

// ---- the end: the knot, the text, the table --------------------------------------------------------------

/** Lines of a box, broken so that none is longer than `most` characters. */
function wrapped(lines, most) {
  const found = [];
  for (const line of lines) {
    let rest = line;
    for (let part = 0; rest.length > most && part < 4; part += 1) {
      const space = rest.lastIndexOf(" ", most);
      const cut = space > most / 2 ? space : most;
      found.push(rest.slice(0, cut));
      rest = rest.slice(cut).trimStart();
    }
    found.push(rest.length > most ? `${rest.slice(0, most - 1)}…` : rest);
  }
  return found;
}

/** How far each box is from the first ones, along the arrows. */
function layersOf({ nodes, arrows }) {
  const layer = nodes.map(() => -1), reached = new Set(arrows.filter(([a, b]) => a !== b).map(([, target]) => target));
  const starts = nodes.map((_, number) => number).filter((number) => !reached.has(number));
  for (const root of [...starts, ...nodes.map((_, number) => number)]) {
    if (layer[root] >= 0) continue;
    layer[root] = 0;
    const next = [root];
    while (next.length) {
      const one = next.shift();
      for (const [source, target] of arrows) {
        if (source === one && layer[target] < 0) { layer[target] = layer[one] + 1; next.push(target); }
      }
    }
  }
  return layer;
}

function knotOf(el, film) {
  if (!film.drawing.nodes.length) return { show() {}, stop() {} };
  const card = add(el, "section", "", { class: "card knot" });
  const count = film.frames.length, last = film.first + count;
  add(card, "h2", count ? `At the end, after step ${last}: who waits for whom` : "Who waits for whom");
  const early = count ? add(card, "p", "", { class: "fact early" }) : null;
  const wider = add(card, "p", "The drawing is wider than its box: scroll it sideways, or read the sentences below it.", { class: "fact wider" });
  const both = add(card, "div", "", { class: "both" });
  const outer = add(both, "div", "", { class: "drawing", role: "img", tabindex: "0", "aria-label": "Who waits for whom; the same in words below" });
  const told = add(both, "ul", "", { class: "words" });
  const called = ({ kind, lines, count }) => {
    const text = lines.join(kind === "process" ? " in " : kind === "future" ? " " : ", ");
    return short(text, 160) + (count > 1 ? ` (×${count})` : "");
  };
  const reached = new Set(film.drawing.arrows.map(([, target]) => target));
  film.drawing.nodes.forEach((one, number) => {
    const arrows = film.drawing.arrows.filter(([source]) => source === number);
    if (!arrows.length && one.knot && reached.has(number) && film.stuck.length) add(told, "li", `${called(one)}: nothing ends that any more`, { class: "knotted" });
    if (!arrows.length) return;
    const verb = one.kind !== "process" ? `${one.count > 1 ? "are" : "is"} up to` : one.count > 1 ? "wait for" : "waits for";
    const any = arrows[0][2] === "any of" ? "any of " : "";
    const others = arrows.map(([, target]) => film.drawing.nodes[target]);
    const kind = one.knot && others.some((other) => other.knot) ? "knotted" : "";
    add(told, "li", `${called(one)} ${verb} ${any}${others.map(called).join("; ")}`, { class: kind });
  });
  if (film.drawing.left_out) add(card, "p", film.drawing.left_out, { class: "fact" });
  const keys = ["solid: needs it", "dashed: any of them would do"];
  const red = film.drawing.nodes.flatMap((one, number) => (one.knot ? [number] : []));
  const round = red.length && red.every((number) => film.drawing.arrows.some(([source, target]) => source === number && film.drawing.nodes[target].knot));
  if (round) keys.unshift("red and thick: the knot, which keeps itself waiting");
  add(card, "p", keys.join(" · "), { class: "fact" });
  let before = 0;
  const draw = () => {
    const width = Math.min(outer.clientWidth || 600, 900);
    if (width !== before) wider.hidden = drawKnot(outer, film.drawing, before = width);
  };
  const watch = new ResizeObserver(draw);
  watch.observe(outer);
  draw();
  return {
    stop: () => watch.disconnect(),
    show(position) {
      if (!early) return;
      card.classList.toggle("later", position < count);
      say(early, position < count ? `This is not yet so at step ${film.first + position}.` : "This is the last step: it is so now.");
    },
  };
}

/** A layer is one row, however wide: an arrow to the next row crosses no box, and all others go round on the right. */
function drawKnot(outer, drawing, width) {
  outer.replaceChildren();
  const pen = document.createElement("canvas").getContext("2d");
  const layers = layersOf(drawing), most = Math.max(16, Math.min(30, Math.floor(width / 14)));
  const round = drawing.arrows.filter(([source, target]) => layers[target] !== layers[source] + 1);
  const gutter = 12 + 14 * round.length;
  const boxes = drawing.nodes.map((node) => {
    const [first, ...others] = node.lines;
    const lines = wrapped([node.count > 1 ? `${first}  ×${node.count}` : first, ...others], most), counted = node.limit != null && node.limit <= MOST_SLOTS;
    const wide = lines.map((line, number) => { pen.font = `${number ? 400 : 600} 13px system-ui, sans-serif`; return pen.measureText(line).width; });
    return { node, lines, counted, width: 24 + Math.max(40, ...wide), height: 14 + 16 * lines.length + (counted ? 14 : 0) };
  });
  const rows = Array.from({ length: Math.max(...layers) + 1 }, (_, layer) => boxes.filter((_, number) => layers[number] === layer)
    .sort((one, two) => one.node.knot - two.node.knot));
  const wides = rows.map((row) => row.reduce((sum, box) => sum + box.width + 20, -20));
  const widest = Math.max(...wides), full = Math.max(width, widest + gutter + 16);
  const enters = (row) => round.filter(([, target]) => layers[target] === row), leaves = (row) => round.filter(([source]) => layers[source] === row);
  const tops = [], belows = [];
  let y = 8;
  rows.forEach((row, number) => {
    y += 20 + 6 * enters(number).length;
    let x = (full - gutter - wides[number]) / 2;
    for (const box of row) { box.x = x; box.y = y; x += box.width + 20; }
    tops.push(y);
    y += Math.max(...row.map((box) => box.height));
    belows.push(y);
    y += 20 + 6 * leaves(number).length;
  });
  const height = y - 8, right = Math.max(...boxes.map((box) => box.x + box.width));
  const svg = add(outer, "svg", "", { viewBox: `0 0 ${full} ${height}`, width: full, height });
  const lines = add(svg, "g");
  for (const arrow of drawing.arrows) {
    const [source, target, mode] = arrow, one = boxes[source], two = boxes[target], knot = one.node.knot && two.node.knot;
    const kind = `wait${knot ? " knotted" : ""}${mode === "any of" ? " any" : ""}`, turn = round.indexOf(arrow), aside = turn < 0 ? 0 : 12;
    const x1 = one.x + one.width / 2 + aside, y1 = one.y + one.height, x2 = two.x + two.width / 2 + aside, y2 = two.y - 2;
    if (turn < 0) {
      const below = belows[layers[source]], bend = (y2 - below) / 2;
      add(lines, "path", "", { d: `M${x1} ${y1} V${below} C${x1} ${below + bend} ${x2} ${y2 - bend} ${x2} ${y2 - 5}`, class: kind });
    } else {
      const low = belows[layers[source]] + 8 + 6 * leaves(layers[source]).indexOf(arrow);
      const high = tops[layers[target]] - 14 - 6 * enters(layers[target]).indexOf(arrow);
      add(lines, "path", "", { d: `M${x1} ${y1} V${low} H${right + 12 + 14 * turn} V${high} H${x2} V${y2 - 5}`, class: kind });
    }
    add(lines, "path", "", { d: `M${x2 - 5} ${y2 - 8} L${x2} ${y2} L${x2 + 5} ${y2 - 8} Z`, class: `${kind} tip` });
  }
  for (const box of boxes) {
    const corner = box.node.kind === "process" ? 0 : 12;
    add(svg, "rect", "", { x: box.x, y: box.y, width: box.width, height: box.height, rx: corner, class: `box${box.node.knot ? " knotted" : ""}` });
    box.lines.forEach((text, number) => add(svg, "text", text, { x: box.x + box.width / 2, y: box.y + 20 + 16 * number, class: number ? "more" : "first" }));
    if (!box.counted) continue;
    const size = Math.min(12, (box.width - 16) / box.node.limit), begin = box.x + (box.width - size * box.node.limit) / 2;
    for (let slot = 0; slot < box.node.limit; slot += 1) {
      add(svg, "rect", "", { x: begin + slot * size + 1, y: box.y + box.height - 16, width: size - 2, height: 9, class: slot < box.node.used ? "slot used" : "slot" });
    }
  }
  return full <= width;
}

function tableOf(el, film, go) {
  if (!film.frames.length) return () => {};
  const details = add(el, "details", "", { class: "card all" });
  add(details, "summary", film.frames.length === 1 ? "The step as a table" : `All ${film.frames.length.toLocaleString("en")} steps as a table`);
  const table = add(add(details, "div", "", { class: "scroll" }), "table");
  const fill = () => {
    if (table.rows.length) return;
    const timed = film.frames.some((frame) => frame.time != null);
    const head = add(add(table, "thead"), "tr"), body = add(table, "tbody");
    for (const text of ["step", ...(timed ? ["seconds"] : []), "who", "what", "where"]) add(head, "th", text, { scope: "col" });
    film.frames.forEach((frame, number) => {
      const step = film.first + number + 1, turn = film.turn && film.turn.step === step;
      const row = add(body, "tr", "", turn ? { class: "bad" } : {});
      add(add(row, "td"), "a", `${turn ? "◆ " : ""}${film.lasso != null && number >= film.lasso ? "↻ " : ""}${step}`, { href: `#step=${step}` })
        .onclick = (event) => { event.preventDefault(); go(number + 1, true); };
      if (timed) add(row, "td", frame.time == null ? "" : String(Number(frame.time.toPrecision(6))));
      add(row, "td", short(film.lanes[frame.lane].name));
      add(row, "td", `${frame.text}${frame.result ? ` → ${frame.result}` : ""}${turn ? ` (${film.turn.text.split(":")[0]})` : ""}`);
      add(row, "td", frame.place);
    });
  };
  details.addEventListener("toggle", () => { if (details.open) fill(); });
  return () => { fill(); return details; };
}

function tokenOf(el, film) {
  if (!film.replay) return;
  const card = add(el, "section", "", { class: "card token" });
  add(card, "h2", "Take it again");
  const code = add(card, "code", film.replay, { tabindex: "0" });
  const copy = add(card, "button", "Copy", { type: "button", "aria-label": "Copy the command" });
  copy.onclick = async () => {
    try {
      await navigator.clipboard.writeText(film.replay);
    } catch {
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
    say(copy, "Copied");
    setTimeout(() => say(copy, "Copy"), 1500);
  };
}

// ---- all of it -------------------------------------------------------------------------------------------

function render({ model, el }) {
  const film = model.get("film"), count = film.frames.length, whole = model.get("page") === true;
  const turn = film.turn ? film.turn.step - film.first : 0;
  let position = -1;
  const root = add(el, "div", "", { class: "simcore-film" });
  const standings = histories(film.lanes.length, film.standings, film.frames, "standings", "lane");
  const values = histories(film.things.length, film.values, film.frames, "values", "thing");
  const parts = [];
  const go = (wanted, into = false) => {
    const next = Math.max(0, Math.min(count, Math.round(wanted) || 0));
    if (next !== position) {
      position = next;
      for (const part of parts) part.show(position, standings);
      model.set("step", film.first + position);
      model.save_changes();
    }
    if (into) root.querySelector(".film").scrollIntoView({ block: "center" });
  };
  header(root, film, go);
  const stops = [];
  if (film.lanes.length) {
    const bar = controls(root, film, go, () => position), steps = add(root, "div", "", { class: "film" });
    const lanes = lanesOf(steps, film, standings, values, go);
    legend(steps, film);
    const panel = add(root, "div", "", { class: "panel" }), left = add(panel, "div"), right = add(panel, "div");
    const card = stepCard(left, film, go), objects = objectsOf(left, film, values), processes = processesOf(right, film, standings);
    const words = () => `${film.first + position}: ${position ? `${short(film.lanes[film.frames[position - 1].lane].name)} ${film.frames[position - 1].text}` : "before the first step"}`;
    parts.push({ show: (next) => bar.show(next, words()) }, lanes, card, objects, processes);
    let wide = 0;
    const watch = new ResizeObserver(() => {
      if (panel.clientWidth !== wide) { wide = panel.clientWidth; keepSizes([card, objects, processes], standings, position); }
    });
    watch.observe(panel);
    stops.push(bar.stop, lanes.stop, () => watch.disconnect());
  }
  const knot = knotOf(root, film);
  parts.push(knot);
  stops.push(knot.stop);
  const table = tableOf(root, film, go);
  tokenOf(root, film);
  const text = add(root, "details", "", { class: "card" });
  add(text, "summary", "The report, as it is printed");
  add(text, "pre", film.text);

  const keys = { ArrowLeft: -1, ArrowRight: 1, p: 0 }, far = { PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
  const pressed = (event) => {
    const from = event.target instanceof Element ? event.target : root, there = from.closest(".controls input, .lanes");
    const elsewhere = !there && from.closest("input, pre, code, .scroll, .drawing, summary, .objects > ul");
    const known = event.key in keys || (there && event.key in far);
    if (!known || elsewhere || event.ctrlKey || event.metaKey || event.altKey || !count) return;
    if (event.key === "p" && !turn) return;
    event.preventDefault();
    if (event.key === "p") go(turn, true);
    else go(Math.max(0, Math.min(count, position + (keys[event.key] || far[event.key]))));
  };
  const listener = whole ? document : root;
  if (!whole) root.tabIndex = 0;
  listener.addEventListener("keydown", pressed);
  const moved = () => { const step = Number(model.get("step")); if (Number.isFinite(step)) go(step - film.first); };
  model.on("change:step", moved);
  let opened = [];
  let sheet = null;
  const printing = () => {
    if (sheet) return;
    table();
    opened = [...root.querySelectorAll("details.all, details.found, .objects details")].filter((one) => !one.open);
    opened.forEach((one) => { one.open = true; });
    sheet = add(root, "div");
    if (!film.lanes.length) return;
    parts.forEach((part) => part.show(count, standings));
    root.querySelector(".film").before(sheet);
    paperOf(sheet, film, standings, values);
  };
  const printed = () => {
    opened.forEach((one) => { one.open = false; });
    if (sheet) sheet.remove();
    sheet = null;
    parts.forEach((part) => part.show(position, standings));
  };
  addEventListener("beforeprint", printing);
  addEventListener("afterprint", printed);
  const asked = model.get("step");
  go(asked == null ? count : Number(asked) - film.first);
  return () => {
    stops.forEach((stop) => stop && stop());
    listener.removeEventListener("keydown", pressed);
    removeEventListener("beforeprint", printing);
    removeEventListener("afterprint", printed);
    root.remove();
  };
}

/** What stands in a page for a widget's model: the step is in the address, so that it can be shared. */
function pageModel(film) {
  const asked = () => { const found = /[#&]step=(\d+)/.exec(location.hash); return found ? Number(found[1]) : undefined; };
  const state = { film, page: true, step: asked() }, changed = [];
  let timer = 0;
  addEventListener("hashchange", () => { state.step = asked(); changed.forEach((act) => act()); });
  return {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; },
    on: (_, act) => changed.push(act),
    save_changes() {
      clearTimeout(timer);
      timer = setTimeout(() => {
        try { history.replaceState(null, "", `#step=${state.step}`); } catch { /* a frame without an address */ }
      }, 200);
    },
  };
}

export default { render };
