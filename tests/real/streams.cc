/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * C++ as people write it: streams, exceptions through several frames and out
 * of a constructor, containers, regular expressions, smart pointers, static
 * and thread-local objects.
 */

#include <algorithm>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include <sandbox.h>

namespace {

struct Noisy {
	explicit Noisy(int n) : n_(n) { if (n < 0) throw std::domain_error("negative"); }
	~Noisy() { gone++; }
	int n_;
	static int gone;
};
int Noisy::gone;

thread_local std::string per_thread = "per thread";
const std::map<std::string, int> &
numbers()
{
	static const std::map<std::string, int> m = {
		{ "one", 1 }, { "two", 2 }, { "three", 3 },
	};
	return m;
}

int
deep(int n)
{
	Noisy here(n);
	if (n == 0)
		throw std::runtime_error("at the bottom");
	return deep(n - 1) + here.n_;
}

std::string
answer(const std::string &url)
{
	std::ostringstream os;

	try {
		os << deep(50);
	} catch (const std::exception &e) {
		os << "caught " << e.what() << ", " << Noisy::gone << " gone\n";
	}
	try {
		Noisy n(-1);
	} catch (const std::domain_error &e) {
		os << "caught " << e.what() << "\n";
	}
	try {
		std::vector<int> v(3);
		os << v.at(7);
	} catch (const std::out_of_range &) {
		os << "out of range\n";
	}
	for (const auto &[name, n] : numbers())
		os << std::setw(8) << name << std::hex << std::showbase
		    << n * 1000 << std::dec << "\n";
	std::unordered_map<std::string, double> um;
	for (int i = 0; i < 1000; i++)
		um[std::to_string(i)] = i / 7.0;
	os << std::fixed << std::setprecision(6) << um["500"] << "\n";
	std::smatch m;
	const std::regex re("/([a-z]+)/([0-9]+)");
	if (std::regex_search(url, m, re))
		os << m[1] << " = " << std::stoi(m[2]) << "\n";
	auto p = std::make_shared<std::vector<std::string>>();
	p->push_back(per_thread);
	per_thread += "!";
	os << p->front() << " " << p.use_count() << "\n";
	std::ofstream("/tmp/sandbox-streams") << "written " << 42 << "\n";
	std::ifstream in("/tmp/sandbox-streams");
	std::string line;
	std::getline(in, line);
	os << line << "\n";
	return os.str();
}

void
handler(const sandbox_request *rq, sandbox_reply *rp, void *)
{
	const std::string s = answer(rq->url.ptr);

	sandbox_write(rp, s.data(), s.size());
}

}

int
main()
{
	std::clog << "started, " << numbers().size() << " numbers" << std::endl;
	return sandbox_serve(handler, nullptr);
}
