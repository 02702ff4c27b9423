module parley/tests/linear

go 1.26.0

require (
	github.com/anishathalye/porcupine v1.3.1
	parley v0.0.0
)

require (
	github.com/apapsch/go-jsonmerge/v2 v2.0.0 // indirect
	github.com/cenkalti/backoff/v5 v5.0.3 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/pgx/v5 v5.12.0 // indirect
	github.com/oapi-codegen/runtime v1.8.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace parley => ../..
