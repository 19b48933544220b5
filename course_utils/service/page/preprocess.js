// From a drawing to the 28×28 image that the model gets, prepared as MNIST's images were.
//
// LeCun, Cortes and Burges: "The original black and white images were size normalized to fit in a
// 20x20 pixel box while preserving their aspect ratio. The resulting images contain grey levels
// as a result of the anti-aliasing technique […] The images were centered in a 28x28 image by
// computing the center of mass of the pixels, and translating the image so as to position this
// point at the center". Measured on the 10,000 test images: the longest side has 20 pixels in
// 9,997 of them, and the centre of mass lies within half a pixel of row 14, column 14 (counted
// from 0) in all: the images were moved by whole pixels.
//
// An image is {pixels, width, height}; pixels lie row by row, 0 is background and 255 is ink.

export const SIDE = 28; // rows and columns of the image that the model gets
const LONGEST = 20; // longest side of the ink in MNIST
const MIDDLE = 14; // row and column on which MNIST puts the centre of mass
const HALF = 0.500001; // a little more, so that no rounding error of a sum decides a tie

/** The image as MNIST would have it: scaled by its ink, centred by its mass, no ink lost. */
export function asMnist(drawing) {
  const box = inkBox(drawing);
  if (box === null) return asDrawn(drawing);
  const scale = LONGEST / Math.max(box.width, box.height);
  const scaled = resample(drawing, box.left, box.top, scale);
  const centre = centreOfMass(scaled);
  const used = inkBox(scaled);
  const move = (mass, end) => Math.min(Math.max(0, Math.floor(MIDDLE - mass + HALF)), SIDE - end);
  const right = move(centre.column, used.left + used.width);
  return rounded(shifted(scaled, right, move(centre.row, used.top + used.height)));
}

/** The image without that care: the whole drawing area made small. */
export function asDrawn(drawing) {
  return rounded(resample(drawing, 0, 0, SIDE / drawing.width));
}

/** The smallest rectangle that holds all ink, or null where there is none. */
export function inkBox({ pixels, width, height }) {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (pixels[row * width + column] === 0) continue;
      left = Math.min(left, column);
      right = Math.max(right, column);
      top = Math.min(top, row);
      bottom = Math.max(bottom, row);
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** The mean row and column of the ink, each pixel weighted by its value. */
export function centreOfMass({ pixels, width }) {
  let [mass, row, column] = [0, 0, 0];
  pixels.forEach((ink, index) => {
    mass += ink;
    row += ink * Math.floor(index / width);
    column += ink * (index % width);
  });
  return { row: row / mass, column: column / mass };
}

/** A 28×28 image whose corner is (left, top) of `image`, made `scale` times as large. */
export function resample(image, left, top, scale) {
  const pixels = new Float64Array(SIDE * SIDE);
  const size = 1 / scale; // one new pixel covers a square of this side in the old image
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      pixels[row * SIDE + column] = meanInk(image, left + column * size, top + row * size, size);
    }
  }
  return { pixels, width: SIDE, height: SIDE };
}

/** The mean over a square of `image`; an old pixel counts by the part of it that lies inside. */
function meanInk({ pixels, width, height }, left, top, size) {
  const [right, bottom] = [Math.min(width, left + size), Math.min(height, top + size)];
  let sum = 0;
  for (let row = Math.floor(top); row < bottom; row++) {
    const rowPart = Math.min(row + 1, bottom) - Math.max(row, top);
    for (let column = Math.floor(left); column < right; column++) {
      const part = rowPart * (Math.min(column + 1, right) - Math.max(column, left));
      sum += part * pixels[row * width + column];
    }
  }
  return sum / (size * size);
}

/** `image` moved by whole pixels; what leaves it is lost, what enters is background. */
function shifted({ pixels, width, height }, right, down) {
  const moved = new Float64Array(pixels.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [fromRow, fromColumn] = [row - down, column - right];
      const inside = fromRow >= 0 && fromRow < height && fromColumn >= 0 && fromColumn < width;
      if (inside) moved[row * width + column] = pixels[fromRow * width + fromColumn];
    }
  }
  return { pixels: moved, width, height };
}

/** `image` with whole numbers from 0 to 255, as in MNIST's files. */
function rounded({ pixels, width, height }) {
  return { pixels: Uint8ClampedArray.from(pixels), width, height };
}
