#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

#include "actors/registry/etcd_client.hpp"

namespace picket::etcd_contract {

/// Whether there is an etcd on this machine; without it its tests say that they are skipped.
bool etcd_is_installed();

struct members_options {
  int count = 1;
  std::string quota_bytes = "0"; ///< "0": etcd's own
};

/// Real etcd processes on free ports of the loopback, with certificates of a CA of their own, in a scratch
/// directory. They end with the test.
class etcd_members {
public:
  etcd_members(std::filesystem::path directory, const members_options& options);
  ~etcd_members();
  etcd_members(const etcd_members&) = delete;
  etcd_members& operator=(const etcd_members&) = delete;

  /// How a client reaches them, with this one first.
  registry::etcd_access access(int first = 0) const;
  std::size_t count() const noexcept { return all_.size(); }
  void start(int member);
  void kill(int member);
  /// Stands still, with all its connections open.
  void freeze(int member);
  void thaw(int member);
  bool running(int member) const { return all_[static_cast<std::size_t>(member)].pid > 0; }

  /// What a POST to one member's gateway gives; empty if it does not answer.
  std::string post(int member, const std::string& path, const std::string& body) const;
  /// The member that leads, or -1.
  int leader() const;
  /// Until every running member answers a linearizable read; false after 30 s.
  bool wait_until_ready() const;

private:
  struct process {
    int client_port = 0;
    int peer_port = 0;
    pid_t pid = -1;
    bool fresh = true;
  };
  std::string name(std::size_t member) const { return "m" + std::to_string(member); }
  void signal(int member, int which);

  std::filesystem::path directory_;
  members_options options_;
  std::vector<process> all_;
};

} // namespace picket::etcd_contract
