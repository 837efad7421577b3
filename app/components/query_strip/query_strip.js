// The queries on one page: a picture each, one of them chosen by click or by arrow keys.
import { escape } from "../shared_js/text.js";

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".queries");
  const choose = (button) => {
    for (const other of root.children) other.setAttribute("aria-pressed", other === button);
    setStateValue("chosen", Number(button.dataset.image));
  };
  const drawn = JSON.stringify(data.tiles);
  if (root.drawn !== drawn) {
    root.drawn = drawn;
    root.innerHTML = data.tiles
      .map(
        ({ image_id, url, label, hint }) =>
          `<button type="button" data-image="${image_id}" title="${escape(hint)}"><img src="${escape(url)}" alt="${escape(hint)}" width="64" height="128" loading="lazy"><span>${escape(label)}</span></button>`,
      )
      .join("");
  }
  for (const button of root.children) button.setAttribute("aria-pressed", Number(button.dataset.image) === data.chosen);
  root.onclick = ({ target }) => {
    const button = target.closest("button");
    if (button) choose(button);
  };
  root.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = step && [...root.children].at([...root.children].indexOf(event.target.closest("button")) + step);
    if (next) {
      event.preventDefault();
      next.focus();
      choose(next);
    }
  };
}
