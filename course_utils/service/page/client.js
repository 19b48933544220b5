// The request to the service, and a sentence for each way in which it can refuse.

const MODEL = "digits";
const PATIENCE = 10_000; // milliseconds until an answer is given up

/** The service gave no answer; the message says why and what to do next. */
export class Refusal extends Error {}

/**
 * Ask for the ten probabilities of an image of 28×28 pixels.
 *
 * Returns {probabilities, version, milliseconds}. Throws Refusal; or an AbortError when `signal`
 * is aborted because a newer drawing makes this one pointless.
 */
export async function predict(image, key, signal) {
  checkKey(key);
  const started = performance.now();
  const response = await send(image, key, signal);
  const reply = await response.json().catch(() => ({}));
  signal.throwIfAborted();
  if (!response.ok) throw new Refusal(refusal(response, reply));
  const probabilities = reply.predictions?.[0];
  if (probabilities?.length !== 10 || !probabilities.every(Number.isFinite)) {
    throw new Refusal("The answer does not have the expected form, ten probabilities.");
  }
  const milliseconds = performance.now() - started;
  return { probabilities, version: reply.version, milliseconds };
}

function checkKey(key) {
  if (key === "") throw new Refusal("The service needs an API key. Enter it under “API key”.");
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new Refusal("The API key has a character that no key has. Copy it once more.");
  }
}

async function send({ pixels, width, height }, key, signal) {
  const rows = Array.from({ length: height }, (_, row) =>
    Array.from(pixels.subarray(row * width, (row + 1) * width)),
  );
  try {
    return await fetch(`v1/models/${MODEL}:predict`, {
      method: "POST",
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
      body: JSON.stringify({ instances: [rows] }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error.name === "TimeoutError") {
      throw new Refusal(`The service gave no answer in ${PATIENCE / 1000} seconds.`);
    }
    throw new Refusal(
      `The service at ${location.host} cannot be reached. Is it still running? ` +
        "Start it with “python3 -m course_utils serve”.",
    );
  }
}

/** The sentence for a reply that is an error; `reply.error` is the service's own sentence. */
function refusal(response, reply) {
  const said = typeof reply.error === "string" ? ` It says: ${reply.error}` : "";
  const status = response.status;
  const other = "Enter another one under “API key”.";
  if (status === 401) return `The service does not accept this API key (401). ${other}${said}`;
  if (status === 403) return `This API key may not ask this model (403). ${other}${said}`;
  if (status === 429 || status === 503) {
    const seconds = Math.ceil(Number(response.headers.get("Retry-After")));
    const wait = seconds > 0 ? `Wait ${seconds} s, then ask again.` : "Wait, then ask again.";
    const why = status === 429 ? "has too many requests" : "cannot answer now";
    return `The service ${why} (${status}). ${wait}${said}`;
  }
  if (status >= 500) {
    return `The service failed (${status}). Your drawing is kept: ask again in a while.${said}`;
  }
  return `The service refused the request (${status}).${said}`;
}
