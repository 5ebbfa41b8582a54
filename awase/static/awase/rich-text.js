/* A field of simple HTML becomes an editor: bold, lists and links. What it holds is written back into the field, so that
   the form sends it as ever. The server decides what of it is kept. */
document.querySelectorAll("textarea[data-rich]").forEach((field) => {
  const label = field.labels[0];
  const bar = document.createElement("div");
  const text = document.createElement("div");
  bar.className = "rich-bar";
  bar.setAttribute("role", "toolbar");
  text.className = "input prose rich-text";
  text.contentEditable = "true";
  text.innerHTML = field.value || "<p><br></p>";
  label.id ||= `${field.id}-label`;
  for (const part of [bar, text]) part.setAttribute("aria-labelledby", label.id);
  for (const [name, value] of [["role", "textbox"], ["aria-multiline", "true"], ["id", `${field.id}-text`]]) text.setAttribute(name, value);

  const kept = () => {
    field.value = text.textContent.trim() ? text.innerHTML : "";
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const acts = [
    ["bold", "bold"],
    ["list", "insertUnorderedList"],
    ["numbers", "insertOrderedList"],
    ["link", "createLink"],
  ];
  for (const [name, command] of acts) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button link";
    button.textContent = field.dataset[name];
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", () => {
      text.focus();
      const address = name === "link" ? prompt(field.dataset.address, "https://") : null;
      if (name !== "link" || address) document.execCommand(command, false, address);
      kept();
    });
    bar.append(button);
  }
  document.execCommand("defaultParagraphSeparator", false, "p");
  text.addEventListener("input", kept);
  text.addEventListener("paste", (event) => {
    event.preventDefault();
    document.execCommand("insertText", false, event.clipboardData.getData("text/plain"));
  });
  label.addEventListener("click", (event) => {
    event.preventDefault();
    text.focus();
  });
  field.hidden = true;
  field.before(bar, text);
});
