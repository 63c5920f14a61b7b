// Words in two columns and lines between them, on a canvas as large as what is seen of them.
// Streamlit calls the default export again for new data and for a new theme: each call builds a
// fresh view and takes over what was pinned. Words are only drawn or set as text content.

const FAINTEST = 0.015; // of the strongest: weaker pairs are not drawn
const MOST_TOLD = 6;
const PAD = 8;
const SLACK = 1.15; // a little too tall is shown whole: better than a scroll bar for one word
const LARGEST_PICTURE = 16e6; // pixels that every browser can draw
const IDLE = "Point at a word to see its lines. Click it to keep them.";

const views = new WeakMap();

export default function ({ data, parentElement }) {
  const before = views.get(parentElement);
  before?.stop();
  const view = makeView(parentElement, data, before?.state());
  views.set(parentElement, view);
  return () => view.stop();
}

function makeView(parent, data, before) {
  const part = (name) => parent.querySelector(name);
  const [view, canvas, said] = [part(".view"), part("canvas"), part(".said")];
  const levels = Uint8Array.from(atob(data.levels), (letter) => letter.charCodeAt(0));
  const words = [data.left, data.right];
  const count = Math.max(data.left.length, data.right.length);
  const row = count <= 60 ? 24 : count <= 120 ? 20 : 17;
  const size = count <= 60 ? 14 : count <= 120 ? 13 : 12;
  const strongest = strongestPairs(levels, data);
  const stopped = new AbortController();
  const same = before && before.words === JSON.stringify(words);
  let pinned = same ? before.pinned : null;
  let pointed = null;
  let look = null;
  let frame = 0;

  const share = (i, j) => (levels[i * data.right.length + j] / 255) ** 2; // of the largest
  const chosen = () => pointed ?? pinned;
  const partner = (word, at) => (word.side === 0 ? share(word.at, at) : share(at, word.at));

  function measure() {
    const style = getComputedStyle(part(".lines"));
    const themed = (name, other) => style.getPropertyValue(name).trim() || other;
    const width = view.clientWidth;
    const font = `${size}px ${style.fontFamily}`;
    const pen = canvas.getContext("2d");
    pen.font = font;
    const widest = Math.floor(Math.min(260, width * 0.33));
    const wide = words.map((side) => {
      const text = side.reduce((most, word) => Math.max(most, pen.measureText(word).width), 0);
      return Math.min(widest, Math.max(48, Math.ceil(text) + 2 * PAD));
    });
    look = {
      width,
      font,
      wide,
      lettering: style.fontFamily,
      text: style.color,
      accent: themed("--st-primary-color", "#4a7fe0"),
      ground: themed("--st-background-color", "#ffffff"),
      short: words.map((side, at) => side.map((word) => cut(pen, word, wide[at] - 2 * PAD))),
    };
    part(".name.left").style.width = `${wide[0] - PAD}px`;
    part(".name.right").style.width = `${wide[1] - PAD}px`;
    const seen = count * row <= SLACK * data.height ? count * row : data.height;
    view.style.height = `${seen}px`;
    part(".whole").style.height = `${count * row}px`;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(seen * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${seen}px`;
    redraw();
  }

  function redraw() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      if (!look || !look.width) return;
      const pen = canvas.getContext("2d");
      const ratio = canvas.width / look.width;
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.clearRect(0, 0, canvas.width, canvas.height);
      pen.setTransform(ratio, 0, 0, ratio, 0, -view.scrollTop * ratio);
      paint(pen, view.scrollTop, view.scrollTop + canvas.height / ratio);
    });
  }

  function paint(pen, top, bottom) {
    const word = chosen();
    const [from, to] = [look.wide[0], look.width - look.wide[1]];
    const middle = (from + to) / 2;
    pen.strokeStyle = look.accent;
    const draw = (i, j, strength) => {
      const [start, end] = [(i + 0.5) * row, (j + 0.5) * row];
      if (Math.max(start, end) < top || Math.min(start, end) > bottom) return;
      pen.globalAlpha = 0.03 + 0.87 * strength;
      pen.lineWidth = 0.6 + 2.6 * strength;
      pen.beginPath();
      pen.moveTo(from, start);
      pen.bezierCurveTo(middle, start, middle, end, to, end);
      pen.stroke();
    };
    if (word) {
      const strongestHere = Math.max(...words[1 - word.side].map((_, at) => partner(word, at)), 1e-9);
      words[1 - word.side].forEach((_, at) => {
        const strength = partner(word, at) / strongestHere;
        if (strength < FAINTEST) return;
        word.side === 0 ? draw(word.at, at, strength) : draw(at, word.at, strength);
      });
      paintWords(pen, top, bottom, word, strongestHere);
      return;
    }
    strongest.forEach((pair) => {
      const [i, j] = [Math.floor(pair / data.right.length), pair % data.right.length];
      draw(i, j, share(i, j));
    });
    paintWords(pen, top, bottom, null, 1);
  }

  function paintWords(pen, top, bottom, word, strongestHere) {
    pen.font = look.font;
    pen.textBaseline = "middle";
    words.forEach((side, at) => {
      const left = at === 0 ? 0 : look.width - look.wide[1];
      pen.textAlign = at === 0 ? "right" : "left";
      const first = Math.max(0, Math.floor(top / row));
      const last = Math.min(side.length, Math.ceil(bottom / row));
      for (let each = first; each < last; each++) {
        const self = word && word.side === at && word.at === each;
        const strength = word && word.side !== at ? partner(word, each) / strongestHere : 0;
        pen.fillStyle = look.accent;
        pen.globalAlpha = self ? 0.3 : 0.5 * strength;
        if (pen.globalAlpha > 0.01) {
          pen.beginPath();
          pen.roundRect(left + 1, each * row + 1, look.wide[at] - 2, row - 2, 4);
          pen.fill();
        }
        pen.globalAlpha = !word || self || strength > 0.05 ? 1 : 0.5;
        pen.fillStyle = look.text;
        const edge = at === 0 ? look.wide[0] - PAD : left + PAD;
        pen.fillText(look.short[at][each], edge, (each + 0.5) * row + 1);
      }
    });
    pen.globalAlpha = 1;
  }

  function tell() {
    const word = chosen();
    if (!word) {
      said.textContent = IDLE;
      return;
    }
    const ranked = words[1 - word.side]
      .map((text, at) => ({ text, weight: partner(word, at) * data.largest }))
      .filter((each) => each.weight > 0)
      .sort((one, other) => other.weight - one.weight);
    const told = ranked.slice(0, MOST_TOLD).map((each) => `${each.text} ${each.weight.toFixed(2)}`);
    const name = words[word.side][word.at];
    const kept = pinned && sameWord(pinned, word) ? " (kept)" : "";
    const verb = word.side === 0 ? "looks at" : "is looked at by";
    said.textContent = `${name}${kept} ${verb}: ${told.join(", ") || "nothing"}`;
  }

  function sameWord(one, other) {
    return one && other && one.side === other.side && one.at === other.at;
  }

  function wordAt(event) {
    const box = canvas.getBoundingClientRect();
    const x = event.clientX - box.left;
    const at = Math.floor((event.clientY - box.top + view.scrollTop) / row);
    const side = x <= look.wide[0] ? 0 : x >= look.width - look.wide[1] ? 1 : -1;
    return side >= 0 && at >= 0 && at < words[side].length ? { side, at } : null;
  }

  function point(word) {
    if (sameWord(word, pointed) || (!word && !pointed)) return;
    pointed = word;
    view.style.cursor = word ? "pointer" : "default";
    tell();
    redraw();
  }

  function pin(word) {
    pinned = word && !sameWord(word, pinned) ? word : null;
    tell();
    redraw();
  }

  function press(event) {
    const moves = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
    const word = chosen();
    if (event.key === "Escape") {
      pointed = null;
      pin(null);
    } else if (event.key === "Enter" || event.key === " ") {
      if (word) pin(word);
    } else if (event.key in moves) {
      const [across, down] = moves[event.key];
      const side = Math.min(1, Math.max(0, (word?.side ?? 0) + across));
      const at = Math.min(words[side].length - 1, Math.max(0, (word?.at ?? -1) + down));
      point(at >= 0 ? { side, at } : null);
      const [start, seen] = [at * row, view.clientHeight];
      if (start < view.scrollTop) view.scrollTop = start;
      if (start + row > view.scrollTop + seen) view.scrollTop = start + row - seen;
    } else {
      return;
    }
    event.preventDefault();
  }

  function save() {
    const head = row + PAD;
    const [width, height] = [look.width + 2 * PAD, count * row + head + PAD];
    const scale = Math.min(2, Math.sqrt(LARGEST_PICTURE / (width * height)), 16000 / height);
    const picture = document.createElement("canvas");
    [picture.width, picture.height] = [Math.round(width * scale), Math.round(height * scale)];
    const pen = picture.getContext("2d");
    pen.scale(scale, scale);
    pen.fillStyle = look.ground;
    pen.fillRect(0, 0, width, height);
    pen.translate(PAD, head);
    paint(pen, 0, count * row);
    pen.fillStyle = look.text;
    pen.font = `600 ${size}px ${look.lettering}`;
    pen.textAlign = "right";
    pen.fillText(data.titles[0], look.wide[0] - PAD, -row / 2);
    pen.textAlign = "left";
    pen.fillText(data.titles[1], look.width - look.wide[1] + PAD, -row / 2);
    picture.toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = data.file_name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    }, "image/png");
  }

  const on = (element, name, react) => element.addEventListener(name, react, { signal: stopped.signal });
  on(canvas, "pointermove", (event) => event.pointerType === "mouse" && point(wordAt(event)));
  on(canvas, "pointerleave", () => point(null));
  on(canvas, "click", (event) => pin(wordAt(event)));
  on(view, "keydown", press);
  on(view, "blur", () => point(null));
  on(view, "scroll", redraw);
  on(part(".save"), "click", save);

  part(".name.left").textContent = data.titles[0];
  part(".name.right").textContent = data.titles[1];
  view.setAttribute("aria-label", `${data.titles.join(", ")}. Arrow keys choose a word, Enter keeps it.`);
  const sized = new ResizeObserver(() => view.clientWidth !== look?.width && measure());
  sized.observe(view);
  measure();
  tell();
  document.fonts?.ready.then(() => stopped.signal.aborted || measure());

  return {
    state: () => ({ words: JSON.stringify(words), pinned }),
    stop: () => {
      stopped.abort();
      sized.disconnect();
      cancelAnimationFrame(frame);
    },
  };
}

function strongestPairs(levels, data) {
  const least = 255 * Math.sqrt(FAINTEST);
  const pairs = [];
  levels.forEach((level, pair) => level >= least && pairs.push(pair));
  pairs.sort((one, other) => levels[other] - levels[one]);
  return pairs.slice(0, data.most_lines).reverse(); // the strongest drawn last, on top
}

function cut(pen, word, room) {
  if (pen.measureText(word).width <= room) return word;
  const letters = Array.from(word);
  let [low, high] = [0, letters.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (pen.measureText(letters.slice(0, middle).join("") + "…").width <= room) low = middle;
    else high = middle - 1;
  }
  return letters.slice(0, low).join("") + "…";
}
