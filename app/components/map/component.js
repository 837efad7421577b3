// The map as a component of its own: the Map page.
import { Scatter } from "./scatter.js";

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".scatter");
  const say = (error) => {
    root.querySelector(".scatter-counts").textContent = `The map cannot be drawn: ${error.message}`;
  };
  try {
    root.scatter ??= new Scatter(root);
    root.scatter.update(data, setStateValue).catch(say);
  } catch (error) {
    say(error);
  }
  return () => {
    root.scatter?.dispose();
    root.scatter = null;
  };
}
