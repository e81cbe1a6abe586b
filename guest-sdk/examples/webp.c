/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Converts a JPEG or PNG image to WebP: the body of a POST or PUT, or for a GET
 * what Varnish has at the same path, without the query, which is where it
 * fetches it from.
 *
 * Parameters, in the URL's query or in .backend()'s argument ("q=60&w=320"),
 * which wins:
 *	q	quality, 0 to 100, default 75
 *	w, h	largest width and height; larger images are scaled down
 *
 * Answers: 200 with the image; 400, no body or a bad parameter; 406, the
 * client does not take WebP; 413, too many pixels; 415, neither JPEG nor PNG;
 * 422, a broken image; for a GET the status with which Varnish refused it, or
 * 502 if there was none.
 *
 * VCL has to let it fetch, and must have the image answered by somebody else
 * than this program, and cached beside what this program makes of it:
 * vcl-examples/photos.vcl.
 *
 * The libraries are the plain ones. A decoder that can be tricked into running
 * foreign code does so in here, for this one request.
 *
 * Build:	gcc -O2 -static -o webp webp.c \
 *		    $(pkg-config --cflags --libs --static sandbox \
 *		    libwebp libjpeg libpng)
 * Try:		./webp --data @photo.jpg --url '/?q=60' --body-only >photo.webp
 */

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>
#include <webp/encode.h>

#include <sandbox.h>

/* Decoded and encoded, this fits into 64 MB. */
#define MAX_PIXELS		(6 * 1000 * 1000)

struct params {
	long			quality;
	long			width;
	long			height;
};

/* Encoded, as it came. */
struct source {
	const unsigned char	*data;
	size_t			len;
};

/* Decoded, 8 bits a sample, RGB or RGBA. */
struct image {
	uint8_t			*pixels;
	int			width;
	int			height;
	int			alpha;
};

/*--------------------------------------------------------------------
 * What the client wants
 */

static int
get_params(const struct sandbox_request *rq, struct params *pp)
{
	static const struct {
		const char	*name;
		long		min, max;
	} known[] = {
		{ "q", 0, 100 },
		{ "w", 1, WEBP_MAX_DIMENSION },
		{ "h", 1, WEBP_MAX_DIMENSION },
	};
	long *val[] = { &pp->quality, &pp->width, &pp->height };
	unsigned i;

	for (i = 0; i < 3; i++) {
		if (sandbox_get_param_long(rq, known[i].name, known[i].min,
		    known[i].max, val[i]) < 0 ||
		    sandbox_find_param_long(rq->arg, known[i].name,
		    known[i].min, known[i].max, val[i]) < 0)
			return (-1);
	}
	return (0);
}

static int
takes_webp(const struct sandbox_request *rq)
{
	char accept[1024];

	if (sandbox_join_header(rq, "Accept", accept, sizeof accept) < 0)
		return (1);
	return (strstr(accept, "image/webp") != NULL ||
	    strstr(accept, "image/*") != NULL ||
	    strstr(accept, "*/*") != NULL);
}

static int
allocate(struct sandbox_reply *rp, struct image *im)
{

	if (im->width <= 0 || im->height <= 0)
		return (sandbox_fail(rp, 422, "The image is empty."));
	if (im->height > MAX_PIXELS / im->width ||
	    im->width > WEBP_MAX_DIMENSION || im->height > WEBP_MAX_DIMENSION)
		return (sandbox_fail(rp, 413, "The image has %d x %d pixels,"
		    " %d in all is the limit.", im->width, im->height,
		    MAX_PIXELS));
	im->pixels = malloc((size_t)im->width * (size_t)im->height *
	    (im->alpha ? 4 : 3));
	if (im->pixels == NULL)
		return (sandbox_fail(rp, 413, "Not enough memory."));
	return (0);
}

/*--------------------------------------------------------------------
 * Where the image comes from
 */

/* What we make of it is as fresh as it is itself. */
static void
keep(const struct sandbox_fetch_response *frp, struct sandbox_reply *rp,
    const char *name)
{
	const char *value = sandbox_fetch_header(frp, name);

	if (value != NULL)
		sandbox_add_header(rp, name, value);
}

static int
fetch_image(const struct sandbox_request *rq, struct sandbox_reply *rp,
    struct source *src)
{
	static struct sandbox_fetch_response frp;
	struct sandbox_fetch_request frq;

	sandbox_fetch_init(&frq, &frp, "/");
	frq.url = sandbox_path(rq);
	if (sandbox_fetch(&frq, &frp) < 0)
		return (sandbox_fail(rp, 502, "The image can not be fetched:"
		    " %s.", strerror(errno)));
	if (frp.status != 200)
		return (sandbox_fail(rp, frp.status >= 400 ? frp.status : 502,
		    "The image can not be fetched: %u.", frp.status));
	keep(&frp, rp, "Cache-Control");
	keep(&frp, rp, "Age");
	keep(&frp, rp, "Last-Modified");
	src->data = (const unsigned char *)frp.body;
	src->len = (size_t)frp.body_len;
	return (0);
}

static int
find_image(const struct sandbox_request *rq, struct sandbox_reply *rp,
    struct source *src)
{

	if (rq->body_len == 0 && (strcmp(rq->method.ptr, "GET") == 0 ||
	    strcmp(rq->method.ptr, "HEAD") == 0))
		return (fetch_image(rq, rp, src));
	if (rq->body_len == 0)
		return (sandbox_fail(rp, 400, "Send a JPEG or PNG image."));
	src->data = (const unsigned char *)rq->body;
	src->len = (size_t)rq->body_len;
	return (0);
}

/*--------------------------------------------------------------------
 * JPEG. The library reports errors by a function that must not return.
 */

struct jpeg_state {
	struct jpeg_error_mgr	err;
	struct jpeg_decompress_struct
				cinfo;
	jmp_buf			jump;
};

static void
jpeg_fatal(j_common_ptr cinfo)
{
	struct jpeg_state *js = cinfo->client_data;

	longjmp(js->jump, 1);
}

static void
jpeg_quiet(j_common_ptr cinfo)
{

	(void)cinfo;
}

static int
jpeg_decode(const struct source *src, struct sandbox_reply *rp,
    struct jpeg_state *js, struct image *im)
{
	struct jpeg_decompress_struct *ci = &js->cinfo;
	JSAMPROW row;

	jpeg_create_decompress(ci);
	jpeg_mem_src(ci, src->data, src->len);
	(void)jpeg_read_header(ci, TRUE);
	im->width = (int)ci->image_width;
	im->height = (int)ci->image_height;
	if (allocate(rp, im) < 0)
		return (-1);
	ci->out_color_space = JCS_RGB;
	(void)jpeg_start_decompress(ci);
	while (ci->output_scanline < ci->output_height) {
		row = im->pixels + (size_t)ci->output_scanline *
		    (size_t)im->width * 3;
		(void)jpeg_read_scanlines(ci, &row, 1);
	}
	(void)jpeg_finish_decompress(ci);
	if (ci->err->num_warnings > 0)
		return (sandbox_fail(rp, 422, "The JPEG image is damaged."));
	return (0);
}

static int
read_jpeg(const struct source *src, struct sandbox_reply *rp,
    struct image *im)
{
	static struct jpeg_state js;
	char why[JMSG_LENGTH_MAX];

	js.cinfo.err = jpeg_std_error(&js.err);
	js.cinfo.client_data = &js;
	js.err.error_exit = jpeg_fatal;
	js.err.output_message = jpeg_quiet;
	if (setjmp(js.jump)) {
		js.err.format_message((j_common_ptr)&js.cinfo, why);
		return (sandbox_fail(rp, 422, "Not a good JPEG image: %s.",
		    why));
	}
	return (jpeg_decode(src, rp, &js, im));
}

/*--------------------------------------------------------------------
 * PNG
 */

static int
read_png(const struct source *src, struct sandbox_reply *rp,
    struct image *im)
{
	png_image png;

	memset(&png, 0, sizeof png);
	png.version = PNG_IMAGE_VERSION;
	if (!png_image_begin_read_from_memory(&png, src->data, src->len))
		return (sandbox_fail(rp, 422, "Not a good PNG image: %s.",
		    png.message));
	im->width = png.width > INT32_MAX ? INT32_MAX : (int)png.width;
	im->height = png.height > INT32_MAX ? INT32_MAX : (int)png.height;
	im->alpha = (png.format & PNG_FORMAT_FLAG_ALPHA) != 0;
	if (allocate(rp, im) < 0)
		return (-1);
	png.format = im->alpha ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
	if (!png_image_finish_read(&png, NULL, im->pixels, 0, NULL) ||
	    PNG_IMAGE_FAILED(png))
		return (sandbox_fail(rp, 422, "Not a good PNG image: %s.",
		    png.message));
	return (0);
}

/*--------------------------------------------------------------------
 * WebP
 */

/* Shrink to the box that (pp) gives, and keep the proportions. */
static int
shrink(WebPPicture *pic, const struct params *pp)
{
	double f, g;
	int w, h;

	f = g = 1.0;
	if (pp->width > 0 && pp->width < pic->width)
		f = (double)pp->width / pic->width;
	if (pp->height > 0 && pp->height < pic->height)
		g = (double)pp->height / pic->height;
	if (g < f)
		f = g;
	if (f == 1.0)
		return (1);
	w = (int)(pic->width * f + 0.5);
	h = (int)(pic->height * f + 0.5);
	return (WebPPictureRescale(pic, w > 0 ? w : 1, h > 0 ? h : 1));
}

static int
encode(const struct image *im, const struct params *pp, WebPMemoryWriter *wr)
{
	WebPConfig config;
	WebPPicture pic;

	WebPMemoryWriterInit(wr);
	if (!WebPConfigPreset(&config, WEBP_PRESET_DEFAULT,
	    (float)pp->quality) || !WebPPictureInit(&pic))
		return (-1);
	pic.width = im->width;
	pic.height = im->height;
	pic.writer = WebPMemoryWrite;
	pic.custom_ptr = wr;
	if (!(im->alpha ?
	    WebPPictureImportRGBA(&pic, im->pixels, im->width * 4) :
	    WebPPictureImportRGB(&pic, im->pixels, im->width * 3)))
		return (-1);
	if (!shrink(&pic, pp) || !WebPEncode(&config, &pic))
		return (-1);
	return (0);
}

static void
convert(const struct sandbox_request *rq, struct sandbox_reply *rp,
    void *priv)
{
	static WebPMemoryWriter wr;
	struct params pp = { 75, 0, 0 };
	struct image im = { NULL, 0, 0, 0 };
	struct source src = { NULL, 0 };
	int r;

	(void)priv;
	if (get_params(rq, &pp) < 0) {
		sandbox_fail(rp, 400, "q is from 0 to 100, w and h from 1 to"
		    " %d.", WEBP_MAX_DIMENSION);
		return;
	}
	if (!takes_webp(rq)) {
		sandbox_fail(rp, 406, "There is only image/webp.");
		return;
	}
	if (find_image(rq, rp, &src) < 0)
		return;
	if (src.len > 3 && memcmp(src.data, "\xff\xd8\xff", 3) == 0)
		r = read_jpeg(&src, rp, &im);
	else if (src.len > 4 && memcmp(src.data, "\x89PNG", 4) == 0)
		r = read_png(&src, rp, &im);
	else
		r = sandbox_fail(rp, 415, "Neither JPEG nor PNG.");
	if (r < 0)
		return;
	if (encode(&im, &pp, &wr) < 0) {
		sandbox_fail(rp, 500, "Could not encode the image.");
		return;
	}
	sandbox_add_header(rp, "Content-Type", "image/webp");
	sandbox_add_header(rp, "Vary", "Accept");
	sandbox_set_body(rp, wr.mem, wr.size);
}

/* The library makes tables when it is first used. Once is enough. */
static int
warm_up(void)
{
	static uint8_t grey[64 * 64 * 3];
	struct image im = { grey, 64, 64, 0 };
	struct params pp = { 75, 32, 32 };
	WebPMemoryWriter wr;

	memset(grey, 0x80, sizeof grey);
	if (encode(&im, &pp, &wr) < 0)
		return (-1);
	WebPMemoryWriterClear(&wr);
	return (0);
}

int
main(void)
{

	if (warm_up() < 0) {
		fprintf(stderr, "webp: the library does not work\n");
		return (1);
	}
	return (sandbox_serve(convert, NULL));
}
