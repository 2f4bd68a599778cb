// Tells the styles that scripts run, then gives each element to the module that its data-module names.
document.documentElement.classList.add("js");

for (const element of document.querySelectorAll("[data-module]")) {
  const name = element.dataset.module;
  if (/^[a-z-]+$/.test(name)) {
    import(`./${name}.js`).then((module) => module.default(element));
  }
}
