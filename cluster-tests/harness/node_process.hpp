#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/faults/faults.hpp"
#include "cluster-tests/agentsim/socket.hpp"

#include <sys/types.h>

namespace picket::harness {

/// For tests that need a node with faults.
#define PICKET_NEEDS_FAULTS()                                                                                \
  if (!picket::faults::built_in) GTEST_SKIP() << "needs a build with PICKET_FAULTS (presets faults, asan)"

using settings = std::map<std::string, std::string>; ///< "ingest.io_threads" → "2"

/// Asks again and again until `condition` holds, at most `limit`. False: it never did. The one way to wait in
/// tests.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = std::chrono::seconds{30});

/// A real `picketd` in a directory of its own, on ports that the system chooses. Killed when it goes out of
/// scope.
class node_process {
public:
  /// `directory` becomes its working directory and keeps its state over several starts.
  explicit node_process(std::filesystem::path directory, settings with = {});
  ~node_process();
  node_process(const node_process&) = delete;
  node_process& operator=(const node_process&) = delete;

  /// Starts, also after it has died by itself, and waits until the node serves its ports. Errors: what the
  /// node said instead.
  result<void> start();
  /// Starts, expects that it cannot; the exit code. `log()` has its words.
  int start_and_fail();
  /// SIGTERM; the exit code, or -1 if it does not end within 90 s.
  int stop();
  void kill();
  void freeze();
  void thaw();
  bool running() const;
  pid_t pid() const noexcept { return pid_; }

  /// Faults that the next start has: "sink-slow-ms" → "20". Only where `faults::built_in`.
  settings faults;
  /// Sets one of the running node; "off" ends it. Errors: what the node answers.
  result<void> set_fault(const std::string& name, const std::string& value) const;

  agentsim::socket_address agents() const { return address_of(agents_); }
  agentsim::socket_address enrollment() const { return address_of(enrollment_); }
  const std::string& agents_text() const noexcept { return agents_; }
  const std::string& enrollment_text() const noexcept { return enrollment_; }
  const std::string& api_text() const noexcept { return api_; }
  const std::string& health_text() const noexcept { return health_; }
  const std::string& agent_check_text() const noexcept { return agent_check_; } ///< "off" if it is
  const std::filesystem::path& directory() const noexcept { return directory_; }
  std::filesystem::path archives_file() const;
  std::filesystem::path alerts_file() const;

  /// What it has written to its standard error since the last start.
  std::string log() const;
  bool has_logged(const std::string& text) const { return log().find(text) != std::string::npos; }
  /// Whole lines of the day's journal as JSON.
  std::vector<nlohmann::json> alerts() const;
  std::vector<nlohmann::json> archives() const;

  /// A request on the admin endpoint, with the node's token. Errors: io.
  result<nlohmann::json> api(const std::string& method, const std::string& path,
                             const std::string& body = {}) const;
  /// A metric's value; 0 if it is not there. `series`: as it stands on the page, with its label.
  double metric(const std::string& series) const;
  /// Status of a health page; 0: no answer.
  int health(const std::string& path) const;
  /// The agent's object of the API, or null.
  nlohmann::json agent(const std::string& id) const;

private:
  static agentsim::socket_address address_of(const std::string& text);
  void spawn();
  int wait_exit(std::chrono::milliseconds limit);

  std::filesystem::path directory_;
  settings settings_;
  pid_t pid_ = -1;
  std::string agents_, enrollment_, api_, health_, agent_check_;
};

} // namespace picket::harness
