'use strict'
// Swagger UI over this server's own spec. Calls go to the same origin, where the browser adds the cookie
// of whoever logged in here. A tag's operations open with a click, an operation has an address of its own.
SwaggerUIBundle({
  url: '/openapi.json',
  domNode: document.getElementById('api'),
  deepLinking: true,
  docExpansion: 'list',
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  validatorUrl: null,
})
