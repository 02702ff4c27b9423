#!/usr/bin/env bash
# Lints openapi.yaml by Redocly and Spectral, and compiles a consumer of the types that TypeScript
# gets from it. PARLEY_SKIP_NPM_CI=1 uses the node_modules that are there.
set -euo pipefail
cd "$(dirname "$0")"
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
if [ -z "${PARLEY_SKIP_NPM_CI:-}" ]; then
  npm ci --no-progress --loglevel=error
fi
bin=node_modules/.bin
"$bin/redocly" lint --config redocly.yaml ../openapi.yaml
"$bin/spectral" lint --ruleset spectral.yaml --fail-severity=warn ../openapi.yaml
mkdir -p .types
"$bin/openapi-typescript" ../openapi.yaml --output .types/openapi.d.ts
"$bin/tsc" --strict --noEmit --noUnusedLocals --target es2022 --module esnext --moduleResolution bundler types-check.ts
