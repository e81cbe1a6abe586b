/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A picture in SVG becomes one in PNG: librsvg, which is written in Rust, with
 * cairo and all the libraries that these need.
 */

#include <stdlib.h>

#include <cairo.h>
#include <librsvg/rsvg.h>

#include <sandbox.h>

static cairo_status_t
out(void *priv, const unsigned char *b, unsigned l)
{

	return (sandbox_write(priv, b, l) ? CAIRO_STATUS_WRITE_ERROR :
	    CAIRO_STATUS_SUCCESS);
}

static void
render(const void *svg, size_t len, struct sandbox_reply *rp)
{
	RsvgRectangle all = { 0, 0, 160, 120 };
	GError *error = NULL;
	RsvgHandle *h;
	cairo_surface_t *s;
	cairo_t *c;

	h = rsvg_handle_new_from_data(svg, len, &error);
	if (h == NULL) {
		if (rp != NULL)
			(void)sandbox_fail(rp, 400, "%s", error->message);
		g_error_free(error);
		return;
	}
	s = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, 160, 120);
	c = cairo_create(s);
	if (!rsvg_handle_render_document(h, c, &all, &error)) {
		if (rp != NULL)
			(void)sandbox_fail(rp, 500, "%s", error->message);
		g_error_free(error);
	} else if (rp != NULL) {
		sandbox_add_header(rp, "Content-Type", "image/png");
		(void)cairo_surface_write_to_png_stream(s, out, rp);
	}
	cairo_destroy(c);
	cairo_surface_destroy(s);
	g_object_unref(h);
}

static void
handler(const struct sandbox_request *rq, struct sandbox_reply *rp, void *priv)
{

	(void)priv;
	render(rq->body, rq->body_len, rp);
}

int
main(void)
{
	static const char once[] = "<svg xmlns='http://www.w3.org/2000/svg' "
	    "width='9' height='9'><circle r='3'/></svg>";

	/* what libraries make when they are first called */
	render(once, sizeof once - 1, NULL);
	return (sandbox_serve(handler, NULL));
}
