// picket-conformance: compares the engine with the reference's answers and prints `N of M` per file.

#include "engine/conformance/runner.hpp"
#include "picket_paths.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <optional>

namespace picket::conformance {
namespace {

struct options {
  std::filesystem::path data = PICKET_REFERENCE_DATA;
  std::optional<std::size_t>
      flip; ///< of the records that pass, the one whose expectation is spoilt, in each file
  std::string only;
  bool verbose = false;
  bool list = false;
};

constexpr int exit_passed = 0;
constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
constexpr int exit_no_data = 77;

struct tally {
  std::size_t records = 0;
  std::size_t passed = 0;
  std::vector<std::size_t> passed_at; ///< their places in the file
  std::vector<std::string> failed;
  std::vector<std::string> not_run;
};

void usage() {
  std::cout << "usage: picket-conformance [--data DIR] [--only NAME] [--verbose] [--flip N] [--list]\n"
               "  --data DIR   the reference data (default: " PICKET_REFERENCE_DATA ")\n"
               "  --only NAME  one file, by its name in the list\n"
               "  --verbose    of each failed record, what was expected and what came\n"
               "  --flip N     spoil the expectation of the Nth record (from 0) that passes, in each file: "
               "it must fail\n"
               "  --list       names of the files, and nothing else\n"
               "Exit: 0 all records that were run passed, 1 some failed, 2 usage, 77 no reference data.\n";
}

std::string joined(const std::vector<std::string>& ids) {
  std::string text;
  for (const auto& id : ids)
    text += " " + id;
  return text;
}

std::string id_of(const json& record, std::size_t index) {
  auto id = record.find("id");
  if (id != record.end() && id->is_string()) return id->get<std::string>();
  return "#" + std::to_string(index);
}

tally run_file(runner& with, const options& opts, std::optional<std::size_t> spoilt) {
  tally sum;
  context where{opts.data};
  std::ifstream file(opts.data / with.file());
  for (std::string line; std::getline(file, line);) {
    if (line.empty()) continue;
    std::size_t index = sum.records++;
    json raw = json::parse(line, nullptr, false);
    if (raw.is_discarded()) {
      sum.failed.push_back("#" + std::to_string(index));
      continue;
    }
    std::string id = id_of(raw, index);
    json record = prepare(std::move(raw));
    if (spoilt == index) with.spoil(record);
    outcome got = with.run(record, where);
    switch (got.verdict) {
    case verdict::passed:
      ++sum.passed;
      sum.passed_at.push_back(index);
      break;
    case verdict::failed:
      sum.failed.push_back(id);
      if (opts.verbose)
        std::cout << id << "\n  expected " << got.expected << "\n  got      " << got.got << "\n";
      break;
    case verdict::not_run:
      sum.not_run.push_back(id);
      break;
    }
  }
  return sum;
}

/// A fresh runner of that name; some carry state from record to record.
std::unique_ptr<runner> runner_named(std::string_view name) {
  for (auto& each : make_runners())
    if (each->name() == name) return std::move(each);
  return nullptr;
}

int run_all(const options& opts) {
  if (!std::filesystem::is_directory(opts.data / "micro")) {
    std::cout << "NOT RUN: no reference data at " << opts.data.string() << "\n";
    return exit_no_data;
  }
  bool failed = false;
  bool found = false;
  for (auto& each : make_runners()) {
    if (!opts.only.empty() && opts.only != each->name()) continue;
    found = true;
    std::optional<std::size_t> spoilt;
    if (opts.flip) {
      // What is not run cannot show the spoilt expectation: look first which records pass, with a runner of
      // its own.
      auto straight = run_file(*runner_named(each->name()), opts, std::nullopt);
      if (*opts.flip < straight.passed_at.size()) spoilt = straight.passed_at[*opts.flip];
    }
    tally sum = run_file(*each, opts, spoilt);
    std::printf("%-24s %zu of %zu\n", std::string(each->name()).c_str(), sum.passed, sum.records);
    if (!sum.failed.empty())
      std::printf("  failed (%zu):%s\n", sum.failed.size(), joined(sum.failed).c_str());
    if (!sum.not_run.empty())
      std::printf("  not run (%zu):%s\n", sum.not_run.size(), joined(sum.not_run).c_str());
    std::fflush(stdout);
    failed = failed || !sum.failed.empty() || sum.records == 0;
  }
  if (!found) {
    std::cerr << "no file named '" << opts.only << "'; see --list\n";
    return exit_usage;
  }
  return failed ? exit_failed : exit_passed;
}

int run(int argc, char** argv) {
  options opts;
  for (int i = 1; i < argc; ++i) {
    std::string arg = argv[i];
    bool has_value = i + 1 < argc;
    if (arg == "--data" && has_value) {
      opts.data = argv[++i];
    } else if (arg == "--only" && has_value) {
      opts.only = argv[++i];
    } else if (arg == "--flip" && has_value) {
      opts.flip = std::strtoul(argv[++i], nullptr, 10);
    } else if (arg == "--verbose") {
      opts.verbose = true;
    } else if (arg == "--list") {
      opts.list = true;
    } else {
      usage();
      return arg == "--help" ? exit_passed : exit_usage;
    }
  }
  if (!opts.list) return run_all(opts);
  for (auto& each : make_runners())
    std::cout << each->name() << " " << each->file().string() << "\n";
  return exit_passed;
}

} // namespace
} // namespace picket::conformance

int main(int argc, char** argv) { return picket::conformance::run(argc, argv); }
