// One cluster and one picture of the grid: what is drawn once, and what changes with λ, labels and what is open.
import { counted, escape } from "../shared_js/text.js";
import { camerasOf, facesOf, isReliableAt, membersOf, nReliableOf, sizeOf, tokenOf } from "./summaries.js";
import { IN_DOUBT } from "./view.js";

const MOST_NAMED = 3; // cameras

/** @param {import("./view.js").Known} known */
export function describeImage({ layout, cameraNames, lambda }, image) {
  const camera = layout.cameras[image] < 0 ? "camera not known" : `camera ${cameraNames[layout.cameras[image]]}`;
  if (layout.clusters[image] < 0) return `${camera}, in no cluster`;
  const place = layout.isCenter[image] ? "center" : `cosine ${layout.similarities[image].toFixed(2)}`;
  return `${camera}, ${place}${isReliableAt(layout, image, lambda) ? "" : ", below λ"}`;
}

export function clusterHtml(page, cluster) {
  const { layout, summaries } = page.known;
  const faces = facesOf(membersOf(summaries, cluster))
    .map(
      (image) =>
        `<img data-src="${page.data.thumbs}${tokenOf(layout, image)}" data-image="${image}" alt="" width="38" height="76" decoding="async">`,
    )
    .join("");
  return (
    `<div class="clusters-faces">${faces}</div>` +
    `<p><span><b>${sizeOf(summaries, cluster)}</b> ${sizeOf(summaries, cluster) === 1 ? "image" : "images"} · ${camerasText(page.known, cluster)}</span><em></em></p>` +
    `<p class="more"></p><div class="bar"><i></i></div>`
  );
}

function camerasText({ summaries, cameraNames }, cluster) {
  const n = summaries.nCameras[cluster];
  if (n === 0) return "cameras not known";
  const names = camerasOf(summaries, cluster).map((camera) => escape(cameraNames[camera]));
  if (n === 1) return `camera ${names[0]} only`;
  return n <= MOST_NAMED ? `cameras ${names.join(", ")}` : `${n} cameras`;
}

/** @param {HTMLElement} element */
export function refreshCluster(page, element, cluster) {
  const { known } = page;
  const { layout, summaries, lambda, doubtShares, purities, nLabelled } = known;
  const size = sizeOf(summaries, cluster);
  const nReliable = nReliableOf(layout, membersOf(summaries, cluster), lambda);
  const isInDoubt = doubtShares !== null && doubtShares[cluster] >= IN_DOUBT;
  const name = page.labelText(cluster);
  const isOpen = page.opened?.clusters.includes(cluster) ?? false;
  for (const face of /** @type {NodeListOf<HTMLImageElement>} */ (element.querySelectorAll("img"))) {
    const image = Number(face.dataset.image);
    face.classList.toggle("far", !isReliableAt(layout, image, lambda));
    face.alt = describeImage(known, image);
  }
  element.classList.toggle("doubt", isInDoubt);
  element.classList.toggle("named", name !== "");
  element.setAttribute("aria-selected", String(isOpen));
  const more = [
    `cohesion ${summaries.cohesions[cluster].toFixed(2)}`,
    doubtShares !== null && doubtShares[cluster] > 0 && `doubt ${wholePercent(doubtShares[cluster])}`,
    nLabelled[cluster] > 0 && nLabelled[cluster] < size && `${wholePercent(nLabelled[cluster] / size)} labelled`,
    purities &&
      purities[cluster] < 1 &&
      `purity ${wholePercent(purities[cluster])}${page.data.purity.source === "truth" ? " (truth)" : ""}`,
  ].filter(Boolean);
  setText(element.querySelector("em"), name || (isInDoubt ? "in doubt" : ""));
  setText(element.querySelector(".more"), more.join(" · "));
  /** @type {HTMLElement} */ (element.querySelector(".bar i")).style.width = `${(100 * nReliable) / size}%`;
  const seen = element.textContent.replace(/\s+/g, " ").trim(); // a name says all that is seen, then the rest
  element.setAttribute(
    "aria-label",
    `${seen}: cluster of ${counted(size, "image")}, ${camerasText(known, cluster)}, ${nReliable} reliable, ${more.join(", ")}${isInDoubt ? ", in doubt" : ""}, ${name || "not labelled"}`,
  );
}

export function imageHtml(page, image) {
  const { layout } = page.known;
  return (
    `<img data-src="${page.data.thumbs}${tokenOf(layout, image)}" alt="" width="64" height="128" decoding="async">` +
    `<p class="caption"><span></span><b></b></p>`
  );
}

/** @param {HTMLElement} element */
export function refreshImage(page, element, image) {
  const { known } = page;
  const { layout, cameraNames, owners } = known;
  const owner = owners[image];
  const isOpen = page.opened?.images.includes(image) ?? false;
  const cosine = page.alike?.get(image) ?? layout.similarities[image];
  const isCenter = layout.isCenter[image] === 1 && !page.alike;
  element.querySelector("img").classList.toggle("far", !isReliableAt(layout, image, known.lambda));
  element.style.setProperty("--owner", owner > 0 ? page.colorOf(owner) : "transparent");
  element.setAttribute("aria-selected", String(isOpen));
  setText(element.querySelector("span"), layout.cameras[image] < 0 ? "" : `c${cameraNames[layout.cameras[image]]}`);
  setText(element.querySelector("b"), isCenter ? "center" : cosine.toFixed(2));
  const words = `${describeImage(known, image)}${page.alike ? `, cosine ${cosine.toFixed(2)} to the picture asked for` : ""}${owner > 0 ? `, ${page.nameOfIdentity(owner)}` : ""}`;
  element.setAttribute("aria-label", words);
  element.querySelector("img").alt = words;
}

const wholePercent = (share) => `${Math.round(100 * share)} %`;

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
