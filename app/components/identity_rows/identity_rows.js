// Page 4: a row per identity; select rows to merge, open one to split it or to take images out.
import { keyName } from "../shared_js/keys.js";
import { Outbox } from "../shared_js/outbox.js";
import { counted, escape } from "../shared_js/text.js";
import { Zoom } from "../shared_js/zoom.js";
import { PERSON } from "../shared_js/words.js";

const TOAST_MS = 7000;

class People {
  constructor(root, workspace) {
    this.root = root;
    this.find = (name) => root.querySelector(`.people-${name}`);
    this.outbox = new Outbox(workspace, () => this.drawCounts());
    this.zoom = new Zoom(this.find("zoom"));
    Object.assign(this, { selected: new Set(), marked: new Set(), heardOf: null });
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
    root.onclick = (event) => this.click(event);
    root.onchange = (event) => this.change(event);
  }

  dispose() {
    document.removeEventListener("keydown", this.onKey);
    this.outbox.dispose();
  }

  update(data, send) {
    this.data = data;
    this.ask = send;
    this.outbox.acknowledge(data.stored);
    this.outbox.connect(send, data.name);
    const known = new Set(data.rows.map(({ identity }) => identity));
    this.selected = new Set([...this.selected].filter((identity) => known.has(identity)));
    const members = new Set((data.members ?? []).map(([image]) => image));
    this.marked = new Set([...this.marked].filter((image) => members.has(image)));
    this.draw();
    const news = data.outcomes.filter(({ token }) => this.heardOf && !this.heardOf.has(token));
    this.heardOf = new Set(data.outcomes.map(({ token }) => token));
    if (news.length) this.toast(news.at(-1).text, news.at(-1).is_refused);
  }

  put(kind, more) {
    this.outbox.put({ kind, ...more });
  }

  // ---- keys and clicks
  key(event) {
    if (
      event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], [role=listbox]") ||
      event.altKey
    )
      return;
    const key = keyName(event);
    if ((event.ctrlKey || event.metaKey) && (key === "z" || key === "y"))
      this.put(event.shiftKey || key === "y" ? "redo" : "undo");
    else if (key === "m" && !event.ctrlKey && !event.metaKey && this.selected.size > 1) this.merge();
    else if (key === "Escape" && this.data.opened !== null) this.open(null);
    else return;
    event.preventDefault();
  }

  click({ target }) {
    const act = target.closest("[data-act]")?.dataset.act;
    const row = target.closest("[data-identity]");
    const member = target.closest("[data-member]");
    if (act) this.act(act, row && Number(row.dataset.identity));
    else if (member) this.mark(Number(member.dataset.member));
    else if (row && target.closest(".faces"))
      this.open(this.data.opened === Number(row.dataset.identity) ? null : Number(row.dataset.identity));
  }

  change({ target }) {
    const identity = Number(target.closest("[data-identity]")?.dataset.identity);
    if (target.matches("[type=checkbox]")) {
      if (target.checked) this.selected.add(identity);
      else this.selected.delete(identity);
      this.drawButtons();
    } else if (target.matches("[data-name]")) {
      this.put("rename", { identity, name: target.value });
      target.blur();
    } else if (target.matches("select")) {
      this.put("role", { identity, role: target.value });
    }
  }

  act(name, identity) {
    const images = [...this.marked];
    const acts = {
      merge: () => this.merge(),
      training: () => this.setRole("training"),
      validation: () => this.setRole("validation"),
      undo: () => this.put("undo"),
      redo: () => this.put("redo"),
      split: () => {
        this.put("split", { identity, images });
        this.marked.clear();
      },
      remove: () => {
        this.put("remove", { identity, images });
        this.marked.clear();
      },
      close: () => this.open(null),
      open: () => this.open(identity),
    };
    acts[name]();
  }

  merge() {
    this.put("merge", {
      identities: this.data.rows.map(({ identity }) => identity).filter((identity) => this.selected.has(identity)),
    });
    this.selected.clear();
    this.draw();
  }

  setRole(role) {
    for (const identity of this.selected) this.put("role", { identity, role });
    this.selected.clear();
    this.draw();
  }

  open(identity) {
    this.marked.clear();
    this.ask("opened", identity);
  }

  mark(image) {
    if (this.marked.has(image)) this.marked.delete(image);
    else this.marked.add(image);
    this.drawMarks();
  }

  // ---- drawing
  draw() {
    const { rows, opened, members } = this.data;
    const typing =
      document.activeElement?.matches?.("[data-name]") && this.root.contains(document.activeElement)
        ? document.activeElement
        : null;
    if (!typing) {
      // somebody who types a name is not disturbed
      this.find("rows").innerHTML = rows
        .map((row) => rowHtml(row, this.data, row.identity === opened ? members : null))
        .join("");
      this.zoom.watch(this.find("rows"), ".face, [data-member]");
    }
    for (const box of this.root.querySelectorAll("[type=checkbox]"))
      box.checked = this.selected.has(Number(box.closest("[data-identity]").dataset.identity));
    this.drawButtons();
    this.drawMarks();
    this.drawCounts();
  }

  drawCounts() {
    if (!this.data) return;
    const { rows, goals } = this.data;
    const n = rows.length;
    const training = rows.filter(({ role }) => role === "training");
    const images = training.reduce((sum, row) => sum + row.n_images, 0);
    const goal = goals
      .map(
        (limit) =>
          `<span class="${training.length >= limit ? "met" : ""}">L ${Math.min(training.length, limit)}/${limit}</span>`,
      )
      .join("");
    const left = this.outbox.commits.length;
    this.root.dataset.open = String(left);
    this.find("counts").innerHTML =
      `<b>${n === 1 ? "1 identity" : `${n} identities`}</b>${goal}<span>${counted(images, "training image")}</span>` +
      `<span>${n - training.length} held out</span><span>${left ? "saving …" : "saved"}</span>`;
  }

  drawButtons() {
    const n = this.selected.size;
    for (const name of ["training", "validation"]) this.root.querySelector(`[data-act="${name}"]`).disabled = n === 0;
    const merge = this.root.querySelector('[data-act="merge"]');
    merge.disabled = n < 2;
    merge.firstChild.textContent = n > 1 ? `Merge ${n} ` : "Merge selected ";
  }

  drawMarks() {
    for (const figure of this.root.querySelectorAll("[data-member]"))
      figure.classList.toggle("marked", this.marked.has(Number(figure.dataset.member)));
    for (const button of this.root.querySelectorAll('[data-act="split"], [data-act="remove"]'))
      button.disabled = this.marked.size === 0;
    for (const line of this.root.querySelectorAll(".hint"))
      line.textContent = this.marked.size
        ? `${counted(this.marked.size, "image")} chosen`
        : "Click the images that are somebody else.";
  }

  toast(text, isRefused) {
    const toast = this.find("toast");
    toast.textContent = text;
    toast.classList.toggle("refused", isRefused);
    toast.hidden = false;
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => {
      toast.hidden = true;
    }, TOAST_MS);
  }
}

function rowHtml(row, { thumbs }, members) {
  const { identity, name, color, tokens, n_images: n, n_cameras: cameras, compactness, nearest, flags, role } = row;
  const faces = tokens
    .map((token) => `<img class="face" src="${thumbs}${token}" alt="" width="40" height="80" loading="lazy">`)
    .join("");
  const option = (value, text) => `<option value="${value}" ${role === value ? "selected" : ""}>${text}</option>`;
  return `<div class="person" role="row" data-identity="${identity}" style="--c:${color}"><input type="checkbox" aria-label="Select ${escape(name)}">
    <i></i><input data-name value="${escape(name)}" aria-label="Name" title="Click to rename; empty brings the number back" spellcheck="false">
    <div class="faces" title="Open: all images, split, take out">${faces}</div>
    <div class="facts"><b>${counted(n, "image")}</b><span>${cameras ? counted(cameras, "camera") : "camera not known"}</span></div>
    <div class="facts"><meter min="0" max="1" value="${compactness}" title="Mean cosine of its images to their mean: ${compactness.toFixed(2)}"></meter><span>compactness ${compactness.toFixed(2)}</span></div>
    <div class="facts"><span>${nearest ? `most like <b>${escape(nearest)}</b>` : ""}</span></div>
    <div class="flags">${flags.map(([kind, text, hint]) => `<em class="${kind}" title="${escape(hint)}">${escape(text)}</em>`).join("")}</div>
    <select aria-label="Role of ${escape(name)}">${option("training", "training")}${option("validation", "validation")}</select>
    <button type="button" data-act="${members ? "close" : "open"}">${members ? "Close" : "Open"}</button>
    ${members ? membersHtml(members, thumbs) : ""}</div>`;
}

function membersHtml(members, thumbs) {
  const tiles = members
    .map(
      ([image, token, camera, isOutlier]) =>
        `<figure data-member="${image}" class="${isOutlier ? "outlier" : ""}"><img src="${thumbs}${token}" alt="${camera === null ? "image" : `camera ${camera}`}${isOutlier ? ", far from the others" : ""}" width="64" height="128">` +
        `<figcaption>${camera === null ? "" : `camera ${camera}`}</figcaption></figure>`,
    )
    .join("");
  return `<div class="members"><div class="label-bar"><span class="hint"></span><button type="button" data-act="split">Split off: they are one other ${PERSON}</button>
    <button type="button" data-act="remove">Take out: not this ${PERSON}</button></div><div class="tiles">${tiles}</div></div>`;
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".people");
  if (root.people && root.people.data.workspace !== data.workspace) {
    root.people.dispose();
    root.people = null;
  }
  root.people ??= new People(root, data.workspace);
  root.people.update(data, setStateValue);
  return () => {
    root.people?.dispose();
    root.people = null;
  };
}
