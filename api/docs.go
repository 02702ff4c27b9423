package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/swaggest/swgui/v5/static"

	"parley/models"
)

// pageFS is the page around Swagger UI, whose own files come with the module swgui.
//
//go:embed page
var pageFS embed.FS

// docsPolicy lets the page load its own files and call this server, and nothing else. Neither the page nor
// Swagger UI has anything inline; the icons in its style sheet are data.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsFile is one file of the page, compressed.
type docsFile struct {
	media string
	etag  string
	gz    []byte
}

// docsFiles are all files of the page by the name in its path, the page itself under "".
func docsFiles() (map[string]docsFile, error) {
	files := map[string]docsFile{}
	for _, f := range []struct {
		name, media, path string
	}{
		{"", "text/html; charset=utf-8", "page/index.html"},
		{"page.js", "text/javascript; charset=utf-8", "page/page.js"},
		{"page.css", "text/css; charset=utf-8", "page/page.css"},
		{"swagger-ui.js", "text/javascript; charset=utf-8", "swagger-ui-bundle.js.gz"},
		{"swagger-ui.css", "text/css; charset=utf-8", "swagger-ui.css.gz"},
		{"favicon.png", "image/png", "favicon-32x32.png"},
	} {
		read := static.FS.ReadFile
		if strings.HasPrefix(f.path, "page/") {
			read = pageFS.ReadFile
		}
		content, err := read(f.path)
		if err == nil && !strings.HasSuffix(f.path, ".gz") {
			content, err = compress(content)
		}
		if err != nil {
			return nil, fmt.Errorf("read the API page's files: %w", err)
		}
		sum := sha256.Sum256(content)
		files[f.name] = docsFile{media: f.media, etag: `W/"` + hex.EncodeToString(sum[:8]) + `"`, gz: content}
	}
	return files, nil
}

func compress(content []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}

// Docs gives the API page.
func (s *server) Docs(ctx context.Context, _ DocsRequestObject) (DocsResponseObject, error) {
	return docsAnswer{docsFile: s.docs[""], policy: docsPolicy, gzip: takesGzip(ctx)}, nil
}

// DocsFile gives a file of the API page.
func (s *server) DocsFile(ctx context.Context, r DocsFileRequestObject) (DocsFileResponseObject, error) {
	f, ok := s.docs[r.File]
	if !ok {
		return nil, models.NotFound("file")
	}
	known := strings.Contains(deref(r.Params.IfNoneMatch), f.etag)
	return docsAnswer{docsFile: f, known: known, gzip: takesGzip(ctx)}, nil
}

// takesGzip says whether the client of the request takes an answer that is compressed.
func takesGzip(ctx context.Context) bool {
	c, ok := ctx.(*gin.Context)
	if !ok {
		return false
	}
	for part := range strings.SplitSeq(c.GetHeader("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
			return err != nil || q > 0
		}
	}
	return false
}

// docsAnswer writes a file.
type docsAnswer struct {
	docsFile
	policy string // of the page
	known  bool   // the client has it
	gzip   bool   // the client takes it compressed
}

// VisitDocsResponse implements DocsResponseObject.
func (a docsAnswer) VisitDocsResponse(w http.ResponseWriter) error { return a.write(w) }

// VisitDocsFileResponse implements DocsFileResponseObject.
func (a docsAnswer) VisitDocsFileResponse(w http.ResponseWriter) error { return a.write(w) }

func (a docsAnswer) write(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Cache-Control", "no-cache") // which is: ask each time whether it is still the same
	h.Set("Vary", "Accept-Encoding")
	if a.policy != "" {
		h.Set("Content-Security-Policy", a.policy)
		h.Set("Referrer-Policy", "no-referrer")
	}
	if a.known {
		h.Set("ETag", a.etag)
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", a.media)
	h.Set("ETag", a.etag)
	if a.gzip {
		h.Set("Content-Encoding", "gzip")
		w.WriteHeader(http.StatusOK)
		_, err := w.Write(a.gz)
		return err
	}
	r, err := gzip.NewReader(bytes.NewReader(a.gz))
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	_, err = io.Copy(w, r) //nolint:gosec // our own file, of a size that we know
	return err
}
