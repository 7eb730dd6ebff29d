#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "base/faults/faults.hpp"
#include "config/load.hpp"
#include "node/picketd/identity.hpp"
#include "node/picketd/node.hpp"

namespace {

/// Exit codes, documented in --help.
enum exit_code {
  ok = 0,
  bad_usage = 2,
  bad_configuration = 3,
  cannot_start = 4,
  unfinished = 5,
  part_failed = 6
};

int complain(const picket::error& err, int code) {
  std::fprintf(stderr, "picketd: %s\n", picket::to_string(err).c_str());
  return code;
}

/// Blocks the signals before any thread exists, so that only `wait` takes them.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN); // a limit on the size of files is an error of the write, as a full disk is
  return set;
}

int run(const std::string& file) {
  auto signals = block_signals();
  auto loaded = picket::config::load_file(file, picket::config::process_environment());
  if (!loaded) return complain(loaded.error(), bad_configuration);
  const auto& settings = loaded->values;
  picket::event_log::options logging;
  logging.node = settings.node.name.empty() ? picket::host_name() : settings.node.name;
  picket::parse_log_level(settings.log.level, logging.level);
  logging.file = settings.log.file.string();
  auto log = picket::event_log::open(logging);
  if (!log) return complain(log.error(), bad_configuration);
  if (auto begun = picket::faults::begin_from_environment(*log); !begun)
    return complain(begun.error(), bad_usage);
  auto node = picket::node::start(settings, *log, [] { ::kill(::getpid(), SIGTERM); });
  if (!node) {
    (*log)->write(picket::log_event::node_failed, node.error());
    return complain(node.error(), cannot_start);
  }
  int signal = 0;
  sigwait(&signals, &signal);
  // A second signal ends the process at once; what was read is in the pool and runs at the next start.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  bool finished = (*node)->stop();
  int code = (*node)->failed() ? part_failed : finished ? ok : unfinished;
  // Parts that did not finish in time may still work with what would be taken down now; all that must last is
  // on the disk or in the pool.
  if (code != ok) std::_Exit(code);
  return code;
}

} // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view{argv[1]} == picket::examination_word) {
    static_cast<void>(picket::faults::begin_from_environment(nullptr));
    return picket::run_examination();
  }
  CLI::App app{"picketd: the server that security agents report to"};
  std::string file;
  app.add_option("-c,--config", file,
                 "Configuration file (YAML); without it, defaults and PICKET_* variables")
      ->check(CLI::ExistingFile);
  app.set_version_flag("--version", PICKET_VERSION);
  app.footer(
      "Exit codes: 0 stopped and everything finished, 2 wrong usage, 3 wrong configuration, 4 cannot start,\n"
      "5 stopped, but records are left in the pool for the next start, or agents' connections could not be "
      "read\n"
      "to their end (the log says which),\n"
      "6 stopped because a part of the node had ended by a defect.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& err) {
    return app.exit(err) == 0 ? ok : bad_usage;
  }
  return run(file);
}
