# docker build -t parley . && docker run --rm -p 127.0.0.1:8080:8080 -v parley:/data --read-only --cap-drop ALL parley
#
# The image holds one static program, the certificates of public authorities, and /data. It runs as
# nobody in particular, writes to /data only, and has no shell. See docs/operations.md.
ARG GO_VERSION=1.26.8

FROM golang:${GO_VERSION}-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# The repository is not part of the build: `make docker` says what it is.
ARG VERSION
ARG REVISION
# SQLite is C. With the resolver and the user lookup of Go, and without loading of extensions, nothing of
# glibc is left that a static program could not have.
RUN CGO_ENABLED=1 go build -buildvcs=false -trimpath \
      -tags netgo,osusergo,sqlite_omit_load_extension \
      -ldflags "-s -w -linkmode external -extldflags -static \
        -X parley/internal/app.linkedVersion=${VERSION} \
        -X parley/internal/app.linkedRevision=${REVISION}" \
      -o /out/parley . \
 && mkdir -m 0700 /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/parley /parley
COPY --from=build --chown=65532:65532 /out/data /data
# Temporary files of SQLite and of uploads can be as large as the data: not in memory, as /tmp would be.
ENV PARLEY_ADDR=:8080 PARLEY_DATA=/data TMPDIR=/data
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8080
# A stop takes up to 10 s, which is just when Docker loses its patience: docker stop --time 30.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["/parley", "health"]
ENTRYPOINT ["/parley"]
CMD ["serve"]
