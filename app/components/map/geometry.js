// What the map computes without a screen.

export function parseArrays(buffer) {
  const types = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };
  const size = new DataView(buffer).getUint32(0, true);
  const fields = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  return Object.fromEntries(
    fields.map(({ name, dtype, offset, length }) => [name, new types[dtype](buffer, offset, length)]),
  );
}

export function boxAround([x0, y0], [x1, y1]) {
  return [
    [x0, y0],
    [x1, y0],
    [x1, y1],
    [x0, y1],
  ];
}

export function isInside(x, y, outline) {
  // even-odd rule
  let isIn = false;
  for (let i = 0, j = outline.length - 1; i < outline.length; j = i, i += 1) {
    const [xi, yi] = outline[i];
    const [xj, yj] = outline[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) isIn = !isIn;
  }
  return isIn;
}
