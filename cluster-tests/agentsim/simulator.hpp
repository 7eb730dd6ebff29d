#pragma once

#include "cluster-tests/agentsim/lines.hpp"
#include "cluster-tests/agentsim/sim_agent.hpp"
#include "cluster-tests/agentsim/verify.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <vector>

/// Many simulated agents on one thread and one epoll.

namespace picket::agentsim {

struct sim_options {
  std::size_t agents = 1;
  std::vector<std::string> servers = {"127.0.0.1:1514"}; ///< of the agent port, in the order of preference
  std::string enroll = "127.0.0.1:1515";
  std::string password;
  std::string groups;
  std::string name_prefix = "sim-";
  std::string keys_file;             ///< identities are read from it, and new ones added
  std::string source;                ///< first of the agents' own IPv4 addresses; empty: the system's choice
  std::vector<std::string> files;    ///< path[=location]
  std::uint64_t lines_per_agent = 0; ///< 0: each line of the files once
  double rate_per_s = 0;             ///< of all agents together; 0: as fast as they are taken
  std::int64_t duration_ms = 0;      ///< stops sending after it; 0: when all lines are sent
  std::int64_t timeout_ms = 600'000; ///< for the whole run
  std::int64_t linger_ms = 0;        ///< stays connected, with keep-alives, after the last line
  bool number = false;
  bool prebuilt = false;
  bool say_goodbye = true;
  bool keep_history = false; ///< remember which record of which connection carried which line
  std::string run = "1";     ///< marks the numbers of this run
  std::size_t parallel_enrollments = 32;
  std::int64_t enrollment_timeout_ms = 60'000;
  agent_options agent;
  /// Called just before a line is sent, with the agent's id and the line's number; for measuring delays. A
  /// line that goes out again on a new connection is told again.
  std::function<void(const std::string&, std::uint64_t)> on_line;
};

/// What one connection carried: for each line the place of its record, the start-up being the first.
struct connection_history {
  std::string agent;
  std::int64_t opened_ms = 0; ///< steady clock
  std::int64_t closed_ms = 0;
  struct line {
    std::uint64_t record = 0; ///< counts from 1
    std::uint64_t number = 0; ///< of the line, counts from 1
  };
  std::vector<line> lines;
};

struct sim_report {
  std::uint64_t agents = 0;
  std::uint64_t enrolled = 0;  ///< in this run
  std::uint64_t connected = 0; ///< agents that were acknowledged at least once
  std::uint64_t sent = 0;      ///< events given to the kernel
  std::uint64_t accepted = 0;  ///< of these, not in a send queue of ours any more
  std::uint64_t unsent = 0;    ///< lines that were to be sent and were not
  std::uint64_t bytes = 0;
  agent_counts totals;
  double seconds = 0;                ///< from the first event to the last
  double cpu_seconds = 0;            ///< of this process meanwhile
  std::vector<std::string> refusals; ///< different texts of `#!-err`
  bool timed_out = false;
};

std::string to_string(const sim_report& report);
std::string to_json(const sim_report& report, const verdict* verified);

class simulator {
public:
  explicit simulator(sim_options options);
  ~simulator();

  /// Reads lines and keys, enrolls who has no key, seals beforehand if that is asked for.
  result<void> prepare();
  /// Connects all, sends all, says goodbye.
  result<sim_report> run();
  /// From any thread: ends the run as if its time was over.
  void stop() noexcept;
  /// From any thread: how many events went out so far.
  std::uint64_t sent_so_far() const noexcept { return sent_.load(std::memory_order_relaxed); }

  /// After `prepare`.
  const std::vector<agent_identity>& identities() const noexcept { return identities_; }
  /// Lines that each agent gave to the kernel, by its id; after `run`.
  std::map<std::string, std::uint64_t, std::less<>> sent_by_agent() const;
  /// With `keep_history`, after `run`: all connections that have ended, in the order of their ends.
  const std::vector<connection_history>& history() const noexcept { return history_; }

private:
  struct connection;
  struct timer {
    std::int64_t due_ms = 0;
    std::size_t agent = 0;
    bool operator<(const timer& other) const noexcept { return due_ms > other.due_ms; }
  };

  result<void> load_keys();
  result<void> enroll_missing();
  result<void> save_keys() const;
  std::string enrollment_line(const std::string& name) const;
  result<void> resolve_addresses();
  void make_agents();

  void turn(int timeout_ms);
  void fire_timers(std::int64_t now_ms);
  void handle(connection& one, std::uint32_t events, std::int64_t now_ms);
  void obey(connection& one, sim_agent::ask wanted, std::int64_t now_ms);
  void open(connection& one, std::int64_t now_ms);
  void close(connection& one);
  void read(connection& one, std::int64_t now_ms);
  void flush(connection& one, std::int64_t now_ms);
  void arm_timer(connection& one);
  void feed(std::int64_t now_ms);
  bool feed_one(connection& one);
  bool has_lines(const connection& one) const noexcept;
  void settle_sent(connection& one);
  sim_report report() const;

  sim_options options_;
  line_set lines_;
  std::vector<agent_identity> identities_;
  std::uint64_t enrolled_ = 0;
  std::vector<socket_address> servers_;
  std::vector<std::unique_ptr<connection>> connections_;
  std::deque<std::size_t> hungry_; ///< connected agents that have lines and room
  std::priority_queue<timer> timers_;
  file_descriptor epoll_;
  file_descriptor wake_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> sent_{0};
  std::uint64_t given_ = 0; ///< events in outputs, sent or not
  std::uint64_t bytes_ = 0;
  std::uint64_t lines_wanted_ = 0; ///< per agent
  bool feeding_ = true;
  bool timed_out_ = false;
  std::int64_t first_event_ms_ = 0;
  std::int64_t last_event_ms_ = 0;
  double cpu_at_start_ = 0;
  double cpu_at_end_ = 0;
  std::vector<connection_history> history_;
};

} // namespace picket::agentsim
