"use strict";

const STREAMS = ["/api/analytics/live"];

const canBeTried = (inherited) => (state, path, method) => !STREAMS.includes(path) && inherited(state, path, method);

if (window.SwaggerUIBundle) {
  window.SwaggerUIBundle({
    url: new URL("openapi.json", document.currentScript.src).href,
    dom_id: "#api",
    deepLinking: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    // An address of a service elsewhere, which would be shown what this page shows.
    validatorUrl: null,
    plugins: [{ statePlugins: { spec: { wrapSelectors: { allowTryItOutFor: canBeTried } } } }],
  });
} else {
  document.getElementById("api").textContent = "Swagger UI is not installed here; run make setup.";
}
