/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sandbox.hpp: sandbox.h for C++17. The program links libsandbox.a as a C
 * program does.
 *
 *	int
 *	main()
 *	{
 *		// What is done here is done once, before the first request.
 *		return sandbox::serve([](const sandbox::request &rq,
 *		    sandbox::reply &rp) {
 *			rp.header("Content-Type", "text/plain");
 *			rp << "Hello, you asked for " << rq.url() << "\n";
 *		});
 *	}
 *
 * What a handler throws is answered for with status 500, and what() goes to
 * the log; see guest-sdk/README.rst for everything else.
 */

#ifndef SANDBOX_HPP_INCLUDED
#define SANDBOX_HPP_INCLUDED

#include <chrono>
#include <exception>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

extern "C" {
#include <sandbox.h>
}

namespace sandbox {

inline std::string_view
view(const struct sandbox_str &s)
{

	return (std::string_view(s.ptr, s.len));
}

// A request. All views are good as long as the handler runs.
class request {
public:
	explicit request(const struct sandbox_request *rq) : rq_(rq) {}

	// The structure itself, for what is not here.
	const struct sandbox_request *raw() const { return (rq_); }

	std::string_view method() const { return (view(rq_->method)); }
	std::string_view url() const { return (view(rq_->url)); }
	std::string_view path() const { return (view(sandbox_path(rq_))); }
	std::string_view query() const { return (view(sandbox_query(rq_))); }
	std::string_view proto() const { return (view(rq_->proto)); }
	std::string_view arg() const { return (view(rq_->arg)); }
	std::string_view client_ip() const { return (view(rq_->client_ip)); }
	unsigned client_port() const { return (rq_->client_port); }

	std::string_view
	body() const
	{

		return (std::string_view(rq_->body, rq_->body_len));
	}

	// The (nth) header of this name, whatever its case.
	std::optional<std::string_view>
	header(const char *name, unsigned nth = 0) const
	{
		const char *v = sandbox_nth_header(rq_, name, nth);

		if (v == nullptr)
			return (std::nullopt);
		return (std::string_view(v));
	}

	// A parameter of the query, decoded.
	std::optional<std::string>
	param(const char *name) const
	{
		std::string v(query().size() + 1, '\0');
		auto n = sandbox_get_param(rq_, name, v.data(), v.size());

		if (n < 0)
			return (std::nullopt);
		v.resize(static_cast<std::size_t>(n));
		return (v);
	}

	// Until the request is given up, from when it began.
	std::chrono::nanoseconds
	timeout() const
	{

		return (std::chrono::nanoseconds(rq_->timeout_ns));
	}

	// True if nobody asked, and the answer is thrown away.
	bool
	is_warmup() const
	{

		return ((rq_->flags & SANDBOX_REQUEST_WARMUP) != 0);
	}

private:
	const struct sandbox_request *rq_;
};

// The answer: a stream for the body, and what goes before it.
class reply : public std::ostringstream {
public:
	explicit reply(struct sandbox_reply *rp) : rp_(rp) {}

	struct sandbox_reply *raw() { return (rp_); }

	void
	status(unsigned status, const char *reason = nullptr)
	{

		(void)sandbox_set_status(rp_, status, reason);
	}

	void
	header(const std::string &name, const std::string &value)
	{

		(void)sandbox_add_header(rp_, name.c_str(), value.c_str());
	}

private:
	struct sandbox_reply *rp_;
};

// A line for Varnish's log.
inline int
log(std::string_view text, int level = SANDBOX_LOG_INFO)
{

	return (sandbox_log(level, "%.*s", static_cast<int>(text.size()),
	    text.data()));
}

namespace detail {

template <class F> void
handle(const struct sandbox_request *rq, struct sandbox_reply *rp, void *priv)
{
	const request req(rq);
	reply rep(rp);

	try {
		(*static_cast<F *>(priv))(req, rep);
		const std::string body = rep.str();
		(void)sandbox_write(rp, body.data(), body.size());
	} catch (const std::exception &e) {
		(void)log(e.what(), SANDBOX_LOG_ERROR);
		(void)sandbox_fail(rp, 500, "The handler failed.");
	} catch (...) {
		(void)log("not an exception", SANDBOX_LOG_ERROR);
		(void)sandbox_fail(rp, 500, "The handler failed.");
	}
}

} // namespace detail

// Serve requests with (handler), a callable. For main(): return (serve(f));
template <class F> int
serve(F &&handler)
{
	using func = std::remove_reference_t<F>;

	return (sandbox_serve(detail::handle<func>, const_cast<void *>(
	    static_cast<const void *>(&handler))));
}

} // namespace sandbox

#endif
