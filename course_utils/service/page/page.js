// The page: the drawing becomes an image of 28×28 pixels, the service answers, the page shows it.

import { Refusal, predict } from "./client.js";
import { Drawing } from "./drawing.js";
import { SIDE, asDrawn, asMnist, centreOfMass, inkBox } from "./preprocess.js";

const PAUSE = 150; // milliseconds without a change before the service is asked
const KEY = "api-key"; // name in sessionStorage

const find = (id) => document.getElementById(id);
const drawing = new Drawing(find("pad"));
let waiting = null; // timer of a question not yet sent
let asking = new AbortController(); // of the question last sent

// The key: from the address, which then forgets it, or from the field.

function takeKeyFromAddress() {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (key === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  useKey(key);
}

function useKey(text) {
  const key = text.trim();
  sessionStorage.setItem(KEY, key);
  showKey();
  ask();
}

function showKey() {
  const key = sessionStorage.getItem(KEY) ?? "";
  find("key").value = key;
  find("key-state").textContent = key === "" ? "none" : "kept in this tab";
  find("access").open = key === "";
}

// The image that the model sees.

function seenImage() {
  return find("centred").checked ? asMnist(drawing.ink()) : asDrawn(drawing.ink());
}

function showImage() {
  const image = seenImage();
  const canvas = find("image");
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, SIDE, SIDE);
  context.drawImage(bitmap(image.pixels, getComputedStyle(canvas).color), 0, 0);
  const box = inkBox(image);
  const centre = centreOfMass(image);
  find("longest").textContent = box ? Math.max(box.width, box.height) : "–";
  find("centre-row").textContent = box ? centre.row.toFixed(1) : "–";
  find("centre-column").textContent = box ? centre.column.toFixed(1) : "–";
}

/** A canvas of 28×28 pixels in one colour, as opaque as there is ink. */
function bitmap(pixels, color) {
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext("2d");
  const data = context.createImageData(SIDE, SIDE);
  pixels.forEach((ink, index) => (data.data[4 * index + 3] = ink));
  context.putImageData(data, 0, 0);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = color;
  context.fillRect(0, 0, SIDE, SIDE);
  return canvas;
}

// Question and answer.

/** Forget the question that is waiting or under way: the ink is no longer what it asked about. */
function withdraw() {
  clearTimeout(waiting);
  asking.abort();
  find("answer").setAttribute("aria-busy", "true");
}

/** Ask a moment later, so that a held arrow key asks once. */
function askSoon() {
  waiting = setTimeout(ask, PAUSE);
}

async function ask() {
  withdraw();
  asking = new AbortController();
  const { signal } = asking;
  const image = seenImage();
  if (inkBox(image) === null) return showNothing();
  try {
    showAnswer(await predict(image, sessionStorage.getItem(KEY) ?? "", signal));
  } catch (error) {
    if (signal.aborted) return; // a newer question is under way
    if (!(error instanceof Refusal)) throw error;
    showRefusal(error.message);
  }
  find("answer").setAttribute("aria-busy", "false");
}

function showAnswer({ probabilities, version, milliseconds }) {
  const order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
  const words = (digit) => `${digit}, ${percentInWords(probabilities[digit])}`;
  showBars(probabilities, order[0]);
  find("refusal").hidden = true;
  find("summary").textContent = `${words(order[0])}; next ${words(order[1])}`;
  find("detail").textContent =
    `Version ${version} of the model answered in ${Math.round(milliseconds)} ms, as measured by this page.`;
}

function showNothing() {
  find("answer").setAttribute("aria-busy", "false");
  find("refusal").hidden = true;
  withoutAnswer("Nothing is drawn yet.");
}

function showRefusal(sentence) {
  withoutAnswer("No answer: the reason is below.");
  find("refusal").hidden = false;
  find("error").textContent = sentence;
  if (!sessionStorage.getItem(KEY)) find("access").open = true;
}

function withoutAnswer(summary) {
  showBars(Array(10).fill(null), null);
  find("summary").textContent = summary;
  find("detail").textContent = "";
}

function showBars(probabilities, best) {
  probabilities.forEach((probability, digit) => {
    const row = find("probabilities").tBodies[0].rows[digit];
    row.classList.toggle("best", digit === best);
    row.querySelector(".bar").style.width = `${100 * (probability ?? 0)}%`;
    row.cells[2].textContent =
      probability === null ? "–" : `${(100 * probability).toFixed(1)} %`;
  });
}

/** A probability as a whole percentage that is never rounded to none or to all. */
function percentInWords(probability) {
  if (probability < 0.005) return "less than 1 percent";
  if (probability >= 0.995) return "more than 99 percent";
  return `${Math.round(100 * probability)} percent`;
}

// The parts of the page that repeat.

function makeBars() {
  for (let digit = 0; digit < 10; digit++) {
    const row = find("probabilities").tBodies[0].insertRow();
    const header = document.createElement("th");
    Object.assign(header, { scope: "row", textContent: digit });
    const bar = document.createElement("div");
    bar.className = "bar";
    row.append(header);
    row.insertCell().append(bar);
    row.insertCell();
  }
}

async function makeSamples() {
  const response = await fetch("samples.json").catch(() => null);
  if (!response?.ok) {
    find("sample-list").textContent = "They could not be loaded.";
    return;
  }
  const { samples } = await response.json();
  find("sample-list").append(...samples.map(sampleChoice));
  showThumbnails();
}

/** One test image as a radio button with a picture; its name tells the digit. */
function sampleChoice({ index, digit, image }) {
  const pixels = image.flat();
  const label = document.createElement("label");
  const radio = document.createElement("input");
  Object.assign(radio, { type: "radio", name: "sample", value: index });
  radio.setAttribute("aria-label", `${digit}, test image ${index}`);
  radio.addEventListener("change", () => {
    drawing.put({ index, bitmap: (color) => bitmap(pixels, color) });
  });
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: SIDE, height: SIDE, pixels });
  label.append(radio, canvas);
  return label;
}

function showThumbnails() {
  for (const canvas of find("sample-list").querySelectorAll("canvas")) {
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, SIDE, SIDE);
    context.drawImage(bitmap(canvas.pixels, getComputedStyle(canvas).color), 0, 0);
  }
}

function markSample() {
  for (const radio of find("sample-list").querySelectorAll("input")) {
    radio.checked = Number(radio.value) === drawing.now.sample?.index;
  }
}

drawing.addEventListener("ink", withdraw);
drawing.addEventListener("ink", showImage);
drawing.addEventListener("done", markSample);
drawing.addEventListener("done", askSoon);
find("undo").addEventListener("click", () => drawing.undo());
find("clear").addEventListener("click", () => drawing.clear());
find("again").addEventListener("click", ask);
find("centred").addEventListener("change", () => {
  showImage();
  ask();
});
find("access-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(find("key").value);
  find("access").querySelector("summary").focus(); // the button may have been folded away
});
addEventListener("hashchange", takeKeyFromAddress);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  drawing.show();
  showImage();
  showThumbnails();
});

makeBars();
showNothing();
showKey();
takeKeyFromAddress();
makeSamples();
