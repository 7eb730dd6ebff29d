#pragma once

#include "base/testing/scratch_directory.hpp"
#include "cluster-tests/agentsim/socket.hpp"
#include "protocol/agent/record.hpp"
#include "protocol/enrollment/keys.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

typedef struct ssl_ctx_st SSL_CTX;

namespace picket::agentsim {

/// The smallest server that agents accept (built into the test program only, hence the name of its source),
/// so that the simulator can be tested without a node: enrolls everybody, acknowledges control messages,
/// writes events into a file like `archives.json`.
class fake_node {
public:
  fake_node();
  ~fake_node();

  std::string agent_port() const { return "127.0.0.1:" + std::to_string(agent_port_); }
  std::string enroll_port() const { return "127.0.0.1:" + std::to_string(enroll_port_); }
  std::filesystem::path archives() const { return scratch_.path() / "archives.json"; }

  std::vector<std::string> events() const;
  std::vector<std::string> controls() const;
  std::vector<std::string> enrollments() const;

  // What it does wrong on purpose.
  std::atomic<unsigned> close_after_events{
      0};                                ///< ends a connection after so many events, once for each agent
  std::atomic<unsigned> lose_every{0};   ///< does not write every n-th event
  std::atomic<unsigned> double_every{0}; ///< writes every n-th event twice
  std::atomic<bool> refuse_startups{false};
  std::atomic<unsigned> force_reconnect_after{0}; ///< once for each agent
  std::string refuse_enrollment;                  ///< text of the answer; before the first enrollment

private:
  struct client;
  struct agent {
    std::string name;
    std::string key;
  };
  void serve_agents();
  void serve_enrollment();
  void enroll(file_descriptor fd);
  bool take(client& from, byte_view record);
  void take_event(client& from, std::string_view message);
  void reply(client& to, std::string_view message);
  void archive(const std::string& agent_id, std::string_view text);

  picket::testing::scratch_directory scratch_;
  std::uint16_t agent_port_ = 0; // before the listeners, which fill them in
  std::uint16_t enroll_port_ = 0;
  file_descriptor agent_listener_;
  file_descriptor enroll_listener_;
  SSL_CTX* tls_ = nullptr;
  std::atomic<bool> stop_{false};
  mutable std::mutex lock_;
  std::map<std::string, agent> agents_;
  std::vector<std::string> events_;
  std::vector<std::string> controls_;
  std::vector<std::string> enrollments_;
  std::set<std::string> interrupted_;
  std::uint64_t event_count_ = 0;
  std::uint64_t next_id_ = 1;
  std::thread agent_thread_;
  std::thread enroll_thread_;
};

} // namespace picket::agentsim
