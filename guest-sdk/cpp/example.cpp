/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Threads, asynchronous calls, streams, regular expressions and exceptions of
 * C++'s library.
 *
 *	g++ -std=c++17 -O2 -static -I guest-sdk/cpp -o example example.cpp \
 *	    $(pkg-config --cflags --libs --static sandbox)
 *	sandbox-run -u '/sum?n=100000' example
 */

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <iomanip>
#include <map>
#include <mutex>
#include <numeric>
#include <regex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "sandbox.hpp"

namespace {

// Threads that wait for work when the program is frozen.
class pool {
public:
	explicit pool(unsigned n)
	{

		while (n-- > 0)
			std::thread([this] { work(); }).detach();
	}

	template <class F> auto
	run(F f) -> std::future<decltype(f())>
	{
		auto task = std::make_shared<
		    std::packaged_task<decltype(f())()>>(std::move(f));
		auto result = task->get_future();

		{
			std::lock_guard<std::mutex> lock(mtx_);
			todo_.emplace_back([task] { (*task)(); });
		}
		more_.notify_one();
		return (result);
	}

private:
	void
	work()
	{

		for (;;) {
			std::unique_lock<std::mutex> lock(mtx_);
			more_.wait(lock, [this] { return (!todo_.empty()); });
			auto f = std::move(todo_.front());
			todo_.pop_front();
			lock.unlock();
			f();
		}
	}

	std::mutex mtx_;
	std::condition_variable more_;
	std::deque<std::function<void()>> todo_;
};

// The sum of 1/k^2, a part for each task.
double
sum(unsigned long from, unsigned long to)
{
	double s = 0;

	for (unsigned long k = to; k-- > from; )
		s += 1.0 / (static_cast<double>(k) * static_cast<double>(k));
	return (s);
}

void
handle(pool &workers, const sandbox::request &rq, sandbox::reply &rp)
{
	const unsigned long n = std::stoul(rq.param("n").value_or("1000"));
	const auto path = rq.path();

	rp.header("Content-Type", "text/plain");
	if (path == "/sum") {
		std::vector<std::future<double>> parts;
		double s = 0;

		for (unsigned long i = 0; i < 10; i++)
			parts.push_back(workers.run([=] {
				return (sum(1 + i * n / 10,
				    1 + (i + 1) * n / 10));
			}));
		for (auto &p : parts)
			s += p.get();
		rp << std::setprecision(12) << std::fixed << s << "\n";
	} else if (path == "/async") {
		auto f = std::async(std::launch::async, [] {
			throw std::runtime_error("thrown in a thread");
		});
		try {
			f.get();
		} catch (const std::runtime_error &e) {
			rp << "caught: " << e.what() << "\n";
		}
	} else if (path == "/words") {
		static const std::regex word("[A-Za-z]+");
		const std::string text(rq.body());
		std::map<std::string, int> counts;

		for (std::sregex_iterator it(text.begin(), text.end(), word),
		    end; it != end; ++it)
			counts[it->str()]++;
		for (const auto &[w, c] : counts)
			rp << std::setw(4) << c << " " << w << "\n";
	} else
		throw std::out_of_range("no such path");
}

} // namespace

int
main()
{
	pool workers(3);

	return (sandbox::serve([&](const sandbox::request &rq,
	    sandbox::reply &rp) { handle(workers, rq, rp); }));
}
