#!/usr/bin/env bash
# Makes everything that comes from openapi.yaml, byte for byte the same each time: api/api.gen.go,
# client/client.gen.go, and api/spec.gen.yaml, the copy that api embeds (go:embed reaches no parent).
set -euo pipefail
cd "$(dirname "$0")/.."
for config in api client; do
  go tool -modfile=tools/go.mod oapi-codegen -config "$config/oapi-codegen.yaml" openapi.yaml
done
cp openapi.yaml api/spec.gen.yaml
