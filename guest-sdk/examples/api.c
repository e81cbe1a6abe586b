/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Calls a JSON API and answers with what a client needs of it: the products
 * that are in stock, the cheapest first, without all the rest.
 *
 *	GET /cheapest?category=books&n=3
 *
 * asks Varnish for /api/products?category=books, which is to be
 *
 *	[ { "name": "...", "price": 12.5, "stock": 3, ... }, ... ]
 *
 * and answers
 *
 *	{"category":"books","products":[{"name":"...","price":12.5}, ...]}
 *
 * Varnish caches what the API says, once for all (n), and what we make of it.
 * Answers: 400, a bad parameter; the API's own status if it is an error; 502,
 * the API can not be reached, or says something else. VCL has to let it fetch:
 * vcl-examples/api.vcl.
 *
 * The JSON library is jansson: a parser that has been looked after and fuzzed
 * for years, which checks UTF-8, limits nesting, has its hash tables seeded,
 * and comes as a static library. What it gets wrong it gets wrong in here.
 *
 * Build:	gcc -O2 -static -o api api.c \
 *		    $(pkg-config --cflags --libs --static sandbox jansson)
 * Try:		./api --url '/cheapest?category=books'
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <sandbox.h>

#define MAX_CATEGORY		32
#define MAX_PRODUCTS		100
#define MAX_ANSWER		(1024 * 1024)

/*--------------------------------------------------------------------
 * What the client wants
 */

/* The name goes into a URL. It is what we know to be good, not what we do not
 * know to be bad. */
static int
get_category(const struct sandbox_request *rq, char *name)
{
	long len;

	len = sandbox_get_param(rq, "category", name, MAX_CATEGORY);
	if (len <= 0 || len >= MAX_CATEGORY)
		return (-1);
	return (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
	    (size_t)len ? 0 : -1);
}

/*--------------------------------------------------------------------
 * What the API says
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

/* The response's body, parsed, or NULL: then (rp) is an error. */
static json_t *
call(const char *category, struct sandbox_reply *rp)
{
	struct sandbox_fetch_request frq;
	struct sandbox_fetch_response frp;
	struct sandbox_header accept;
	char url[64 + MAX_CATEGORY];
	json_error_t why;
	json_t *js;

	(void)snprintf(url, sizeof url, "/api/products?category=%s", category);
	sandbox_fetch_init(&frq, &frp, url);
	accept = sandbox_make_header("Accept", "application/json");
	frq.headers = &accept;
	frq.n_headers = 1;
	frq.max_body = MAX_ANSWER;
	if (sandbox_fetch(&frq, &frp) < 0) {
		sandbox_fail(rp, 502, "The API can not be reached: %s.",
		    strerror(errno));
		return (NULL);
	}
	if (frp.status != 200) {
		sandbox_fail(rp, frp.status >= 400 ? frp.status : 502,
		    "The API has said %u.", frp.status);
		return (NULL);
	}
	keep(&frp, rp, "Cache-Control");
	keep(&frp, rp, "Age");
	js = json_loadb(frp.body == NULL ? "" : frp.body,
	    (size_t)frp.body_len, JSON_REJECT_DUPLICATES, &why);
	if (js == NULL)
		sandbox_fail(rp, 502, "The API does not speak JSON: %s, byte"
		    " %d.", why.text, why.position);
	else if (!json_is_array(js)) {
		sandbox_fail(rp, 502, "The API has not sent a list.");
		return (NULL);
	}
	return (js);
}

/* Members that are missing or of another type count as nothing. */
static double
price(const json_t *product)
{

	return (json_number_value(json_object_get(product, "price")));
}

static int
is_for_sale(const json_t *product)
{

	return (json_is_string(json_object_get(product, "name")) &&
	    json_is_number(json_object_get(product, "price")) &&
	    json_integer_value(json_object_get(product, "stock")) > 0);
}

static int
by_price(const void *a, const void *b)
{
	double pa = price(*(json_t * const *)a);
	double pb = price(*(json_t * const *)b);

	return (pa < pb ? -1 : pa > pb);
}

/* The (n) cheapest that can be bought, NULL without memory. */
static json_t *
choose(const json_t *all, size_t n)
{
	json_t **good, *list, *p;
	size_t i, k = 0;

	good = calloc(json_array_size(all) + 1, sizeof *good);
	list = json_array();
	if (good == NULL || list == NULL)
		return (NULL);
	json_array_foreach(all, i, p)
		if (is_for_sale(p))
			good[k++] = p;
	qsort(good, k, sizeof *good, by_price);
	for (i = 0; i < k && i < n; i++)
		(void)json_array_append_new(list, json_pack("{s:O, s:O}",
		    "name", json_object_get(good[i], "name"),
		    "price", json_object_get(good[i], "price")));
	return (list);
}

/*--------------------------------------------------------------------*/

/* The library hands its text out in pieces. */
static int
put(const char *text, size_t len, void *priv)
{

	return (sandbox_write(priv, text, len));
}

static void
api(const struct sandbox_request *rq, struct sandbox_reply *rp, void *priv)
{
	char category[MAX_CATEGORY];
	json_t *all, *answer;
	long n = 10;
	size_t seed;

	(void)priv;
	if (!sandbox_path_is(rq, "/cheapest")) {
		sandbox_fail(rp, 404, "There is /cheapest.");
		return;
	}
	if (get_category(rq, category) < 0 ||
	    sandbox_get_param_long(rq, "n", 1, MAX_PRODUCTS, &n) < 0) {
		sandbox_fail(rp, 400, "category is a word, n is from 1 to %d.",
		    MAX_PRODUCTS);
		return;
	}
	/* Another one each time, so that nobody can know which keys collide. A
	 * seed from main() would be the same in all copies of the program. */
	memcpy(&seed, rq->random, sizeof seed);
	json_object_seed(seed);
	all = call(category, rp);
	if (all == NULL)
		return;
	answer = json_pack("{s:s, s:o}", "category", category,
	    "products", choose(all, (size_t)n));
	sandbox_add_header(rp, "Content-Type", "application/json");
	if (answer == NULL || json_dump_callback(answer, put, rp,
	    JSON_COMPACT | JSON_REAL_PRECISION(15)) < 0)
		sandbox_fail(rp, 500, "Out of memory.");
}

int
main(void)
{

	return (sandbox_serve(api, NULL));
}
