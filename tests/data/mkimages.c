/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Makes the images in this folder, good ones and broken ones. They are kept in
 * the tree, so this is needed only to change them; see README.rst. With
 * arguments, FILE WIDTH HEIGHT, one photograph of that size.
 */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

struct picture {
	int			width;
	int			height;
	int			samples;	/* 1, 3 or 4 a pixel */
	uint8_t			*px;
};

static uint32_t seed = 12345;

static double
noise(void)
{

	seed = seed * 1664525 + 1013904223;
	return ((seed >> 8) / (double)(1 << 24));
}

static uint8_t
byte(double v)
{

	return (v < 0 ? 0 : v > 255 ? 255 : (uint8_t)v);
}

/* A sky, a sun, hills, and some grain: smooth parts, edges and texture. */
static void
paint(const struct picture *p, int x, int y, uint8_t *out)
{
	double u, v, hill, sun, g, rgb[3];
	int i;

	u = (double)x / p->width;
	v = (double)y / p->height;
	hill = 0.65 + 0.12 * sin(7 * u + 1) + 0.05 * sin(23 * u);
	sun = hypot(u - 0.7, (v - 0.25) * p->height / p->width);
	rgb[0] = 110 + 90 * v + (sun < 0.09 ? 90 : 30 / (1 + 40 * sun));
	rgb[1] = 160 + 50 * v + (sun < 0.09 ? 60 : 15 / (1 + 40 * sun));
	rgb[2] = 235 - 40 * v - (sun < 0.09 ? 120 : 0);
	if (v > hill) {
		g = sin(90 * u * v) * 14;
		rgb[0] = 70 + g - 60 * (v - hill);
		rgb[1] = 120 + g * 2 - 80 * (v - hill);
		rgb[2] = 50 + g;
	}
	g = (noise() - 0.5) * 12;
	if (p->samples == 1) {
		out[0] = byte((rgb[0] + rgb[1] + rgb[2]) / 3 + g);
		return;
	}
	for (i = 0; i < 3; i++)
		out[i] = byte(rgb[i] + g);
	if (p->samples == 4)
		out[3] = byte(255 * (1.4 - 2 * hypot(u - 0.5, v - 0.5)));
}

static struct picture
make(int width, int height, int samples)
{
	struct picture p = { width, height, samples, NULL };
	int x, y;

	p.px = malloc((size_t)width * height * samples);
	if (p.px == NULL)
		abort();
	for (y = 0; y < height; y++)
		for (x = 0; x < width; x++)
			paint(&p, x, y, p.px +
			    ((size_t)y * width + x) * samples);
	return (p);
}

static void
jpeg(const char *name, struct picture p, int quality, int progressive)
{
	struct jpeg_compress_struct ci;
	struct jpeg_error_mgr err;
	JSAMPROW row;
	FILE *f;

	f = fopen(name, "wb");
	if (f == NULL)
		abort();
	ci.err = jpeg_std_error(&err);
	jpeg_create_compress(&ci);
	jpeg_stdio_dest(&ci, f);
	ci.image_width = p.width;
	ci.image_height = p.height;
	ci.input_components = p.samples;
	ci.in_color_space = p.samples == 1 ? JCS_GRAYSCALE : JCS_RGB;
	jpeg_set_defaults(&ci);
	jpeg_set_quality(&ci, quality, TRUE);
	if (progressive)
		jpeg_simple_progression(&ci);
	jpeg_start_compress(&ci, TRUE);
	while (ci.next_scanline < ci.image_height) {
		row = p.px + (size_t)ci.next_scanline * p.width * p.samples;
		(void)jpeg_write_scanlines(&ci, &row, 1);
	}
	jpeg_finish_compress(&ci);
	jpeg_destroy_compress(&ci);
	if (fclose(f) != 0)
		abort();
	free(p.px);
}

static void
png(const char *name, struct picture p)
{
	png_image im;

	memset(&im, 0, sizeof im);
	im.version = PNG_IMAGE_VERSION;
	im.width = p.width;
	im.height = p.height;
	im.format = p.samples == 4 ? PNG_FORMAT_RGBA :
	    p.samples == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
	if (!png_image_write_to_file(&im, name, 0, p.px, 0, NULL))
		abort();
	free(p.px);
}

/* One colour: few bytes, very many pixels. */
static void
png_huge(const char *name, int size)
{
	struct picture p = { size, size, 1, NULL };

	p.px = calloc((size_t)size, (size_t)size);
	if (p.px == NULL)
		abort();
	png(name, p);
}

/* Copy a file, cut to (percent) of its length, or with one byte in its middle
 * changed, or both. */
static void
damage(const char *from, const char *to, int percent, int at, int flip)
{
	static uint8_t buf[1 << 20];
	size_t l;
	FILE *f;

	f = fopen(from, "rb");
	if (f == NULL)
		abort();
	l = fread(buf, 1, sizeof buf, f);
	(void)fclose(f);
	buf[l * at / 100] ^= (uint8_t)flip;
	l = l * percent / 100;
	f = fopen(to, "wb");
	if (f == NULL || fwrite(buf, 1, l, f) != l || fclose(f) != 0)
		abort();
}

int
main(int argc, char **argv)
{

	if (argc == 4) {
		jpeg(argv[1], make(atoi(argv[2]), atoi(argv[3]), 3), 85, 0);
		return (0);
	}
	jpeg("photo.jpg", make(480, 320, 3), 85, 0);
	jpeg("progressive.jpg", make(320, 240, 3), 80, 1);
	jpeg("grey.jpg", make(200, 150, 1), 80, 0);
	png("photo.png", make(160, 120, 3));
	png("alpha.png", make(96, 96, 4));
	png_huge("huge.png", 4000);
	damage("photo.jpg", "truncated.jpg", 60, 0, 0);
	damage("photo.png", "truncated.png", 60, 0, 0);
	damage("photo.jpg", "flipped.jpg", 100, 1, 0xff);
	damage("photo.png", "flipped.png", 100, 50, 0x10);
	damage("photo.jpg", "empty.bin", 0, 0, 0);
	return (0);
}
