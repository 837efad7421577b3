// Draws images as points with WebGL. λ, the selection and the step between two layouts are one
// number or one byte per image, so moving them redraws without touching the rest.
const VERTEX = `#version 300 es
in vec2 from; in vec2 to; in float code; in float similarity; in float mark;
uniform vec2 middle, scale; uniform float step_, lambda, size, pass; uniform bool isByReliable, isDimmed;
out float reliable, center, value, alpha, radius;
void main() {
  bool isCenter = mod(mark, 2.0) > 0.5, isSelected = mark > 1.5;
  reliable = float(lambda == 0.0 || isCenter || similarity > lambda);
  center = float(isCenter);
  value = isByReliable ? reliable : code;
  alpha = isDimmed && !isSelected ? 0.13 : 1.0;
  float own = isCenter ? 2.0 : isSelected && isDimmed ? 1.0 : 0.0;
  radius = 0.5 * (isCenter ? size * 1.9 : size);
  gl_PointSize = 2.0 * radius + 2.0;
  gl_Position = own == pass ? vec4((mix(from, to, step_) - middle) * scale, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in float reliable, center, value, alpha, radius;
uniform sampler2D palette; uniform vec2 range; uniform vec3 ink;
out vec4 color;
void main() {
  float r = length(gl_PointCoord - 0.5) * (2.0 * radius + 2.0);
  float inside = clamp(radius - r + 0.5, 0.0, 1.0);
  vec3 fill = texture(palette, vec2((value - range.x) / (range.y - range.x), 0.5)).rgb;
  float width = max(1.0, radius * 0.32);
  float rim = clamp(r - radius + width + 0.5, 0.0, 1.0);
  float body = reliable > 0.5 ? 0.9 : mix(0.12, 0.75, rim);
  vec3 shade = mix(fill, ink, center * rim);
  float a = inside * max(body, center * rim) * alpha;
  if (a < 0.01) discard;
  color = vec4(shade * a, a);
}`;
const ATTRIBUTES = { from: 2, to: 2, code: 1, similarity: 1, mark: 1 };

export class Points {
  /** @type {number[][] | undefined} */
  colors;
  isSmooth = false;

  constructor(canvas) {
    this.canvas = canvas;
    this.arrays = {};
    this.uniforms = {
      middle: [0, 0],
      step_: 1,
      lambda: 0,
      size: 6,
      range: [0, 1],
      ink: [0, 0, 0],
      isByReliable: 0,
      isDimmed: 0,
    };
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => this.start());
    this.start();
  }

  start() {
    const gl = (this.gl = this.canvas.getContext("webgl2", {
      alpha: true,
      antialias: false,
      premultipliedAlpha: true,
    }));
    if (!gl) throw new Error("this browser offers no WebGL 2; switch on hardware acceleration or use another one");
    this.program = link(gl);
    this.buffers = Object.fromEntries(Object.keys(ATTRIBUTES).map((name) => [name, gl.createBuffer()]));
    this.texture = gl.createTexture();
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.set(this.arrays);
    if (this.colors) this.setPalette(this.colors);
  }

  set(arrays) {
    const { gl } = this;
    Object.assign(this.arrays, arrays);
    for (const [name, array] of Object.entries(arrays)) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, array, gl.DYNAMIC_DRAW);
    }
  }

  // colors: list of [r, g, b] in 0-255; blended between neighbours where isSmooth
  setPalette(colors, isSmooth = this.isSmooth) {
    const { gl } = this;
    this.colors = colors;
    this.isSmooth = isSmooth;
    const filter = isSmooth ? gl.LINEAR : gl.NEAREST;
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(
      gl.TEXTURE_2D,
      0,
      gl.RGB,
      colors.length,
      1,
      0,
      gl.RGB,
      gl.UNSIGNED_BYTE,
      new Uint8Array(colors.flat()),
    );
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, filter);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, filter);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  }

  // view: { middle: [x, y] in data, perUnit: CSS pixels a data unit }
  draw({ middle, perUnit }) {
    const { gl, program, canvas, uniforms } = this;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width || gl.isContextLost()) return;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(program);
    for (const [name, size] of Object.entries(ATTRIBUTES)) {
      const place = gl.getAttribLocation(program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, gl.FLOAT, false, 0, 0);
    }
    const at = (name) => gl.getUniformLocation(program, name);
    gl.uniform2f(at("middle"), ...middle);
    gl.uniform2f(at("scale"), (2 * perUnit) / width, (2 * perUnit) / height);
    gl.uniform2f(at("range"), ...uniforms.range);
    gl.uniform3f(at("ink"), ...uniforms.ink);
    gl.uniform1f(at("size"), uniforms.size * ratio);
    for (const name of ["step_", "lambda"]) gl.uniform1f(at(name), uniforms[name]);
    for (const name of ["isByReliable", "isDimmed"]) gl.uniform1i(at(name), uniforms[name]);
    const n = this.arrays.code?.length ?? 0;
    for (const pass of uniforms.isDimmed ? [0, 1, 2] : [0, 2]) {
      // the selected over the rest, centers over all
      gl.uniform1f(at("pass"), pass);
      gl.drawArrays(gl.POINTS, 0, n);
    }
  }

  dispose() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

function link(gl) {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  return program;
}
