// The rows of the Identities page, as HTML.
import { ALIKE } from "../shared_js/alike.js";
import { counted, escape } from "../shared_js/text.js";
import { PEOPLE, PERSON } from "../shared_js/words.js";

const N_BOTH = 4; // faces of each side of a merge

export function rowHtml(row, { thumbs, names }, members) {
  const { identity, name, color, tokens, n_images: n, n_cameras: cameras, compactness, nearest, flags, role } = row;
  const option = (value, text) => `<option value="${value}" ${role === value ? "selected" : ""}>${text}</option>`;
  const like = names.get(nearest);
  return `<div class="person" role="listitem" data-identity="${identity}" style="--c:${color}"><input type="checkbox" aria-label="Select ${escape(name)}">
    <i></i><input data-name value="${escape(name)}" aria-label="Name of ${escape(name)}" title="Click to rename; empty brings the number back" spellcheck="false">
    <button type="button" class="faces" data-act="${members ? "close" : "open"}" aria-label="${members ? "Close" : "Open"} ${escape(name)}: all images, split, take out">${facesHtml(tokens, thumbs)}</button>
    <div class="facts"><b>${counted(n, "image")}</b><span>${cameras ? counted(cameras, "camera") : "camera not known"}</span></div>
    <div class="facts compact"><meter min="0" max="1" value="${compactness}" aria-label="Compactness of ${escape(name)}" title="Mean cosine of its images to their mean: ${compactness.toFixed(2)}"></meter><span>compactness ${compactness.toFixed(2)}</span></div>
    <div class="facts like">${like === undefined ? "" : `<span>most like <button type="button" class="link" data-act="compare" data-other="${nearest}" title="Show the two alone">${escape(like)}</button></span>`}</div>
    <div class="flags">${flags.map(([kind, text, hint]) => `<em class="${kind}" title="${escape(hint)}">${escape(text)}</em>`).join("")}</div>
    <select aria-label="Role of ${escape(name)}">${option("training", "training")}${option("validation", "validation")}</select>
    <button type="button" data-act="${members ? "close" : "open"}">${members ? "Close" : "Open"}</button>
    ${members ? membersHtml(members, thumbs, name) : ""}</div>`;
}

function facesHtml(tokens, thumbs) {
  return tokens
    .map((token) => `<img class="face" src="${thumbs}${token}" alt="" width="40" height="80" loading="lazy">`)
    .join("");
}

function membersHtml(members, thumbs, name) {
  const tiles = members
    .map(([image, token, camera, isOutlier]) => {
      const hint = `${camera === null ? "image" : `camera ${camera}`}${isOutlier ? ", far from the others" : ""}`;
      return (
        `<figure data-member="${image}" data-hint="${hint}" class="${isOutlier ? "outlier" : ""}" role="checkbox" aria-checked="false" tabindex="0" aria-label="${hint}"><img src="${thumbs}${token}" alt="" width="64" height="128">${ALIKE}` +
        `<figcaption>${camera === null ? "" : `camera ${camera}`}</figcaption></figure>`
      );
    })
    .join("");
  return `<div class="members"><div class="label-bar"><span class="hint"></span><button type="button" data-act="split">Split off: they are one other ${PERSON}</button>
    <button type="button" data-act="remove">Take out: not this ${PERSON}</button></div><div class="tiles" role="group" aria-label="Images of ${escape(name)}">${tiles}</div></div>`;
}

/** Two identities that may be one, side by side, with the question. */
export function mergeHtml({ left, right, why, isRename = false }, thumbs) {
  const side = ({ identity, name, tokens, n_images: n }) =>
    `<div class="side"><button type="button" class="link" data-act="compare" data-identity="${left.identity}" data-other="${right.identity}">${escape(name)}</button> <span>${counted(n, "image")}</span><div class="faces" data-side="${identity}">${facesHtml(tokens.slice(0, N_BOTH), thumbs)}</div></div>`;
  const pair = `data-left="${left.identity}" data-right="${right.identity}"`;
  const no = isRename ? ["cancel", "No, keep the old name"] : ["apart", `No, two ${PEOPLE}`];
  return `<div class="merge">${side(left)}${side(right)}<div class="ask"><p>${escape(why)}</p><button type="button" class="first" data-act="unite" ${pair}>Merge</button>
    <button type="button" data-act="${no[0]}" ${pair}>${no[1]}</button></div></div>`;
}
