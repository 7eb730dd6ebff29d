#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "actors/registry/etcd_errors.hpp"

namespace picket::registry {

/// How etcd is reached. Files are PEM.
struct etcd_access {
  std::vector<std::string> endpoints; ///< "host:port", the nearest first
  std::string ca_file;                ///< that members are checked by
  std::string certificate_file;       ///< of this node
  std::string key_file;
  std::int64_t connect_limit_ms = 300; ///< TLS inside it
  std::size_t answer_limit_bytes = 32U << 20U;
  std::size_t line_limit_bytes = 128U << 20U; ///< of a watch: up to 1,000 revisions come in one
};

/// Splits "host:port" or "[address]:port". Errors: address_invalid.
result<std::pair<std::string, int>> parse_endpoint(const std::string& text);

struct etcd_reply {
  reply_kind kind = reply_kind::not_sent;
  int status = 0;
  std::string body;
  bool too_long = false; ///< `lost`, since the answer was above the limit
  error why;             ///< where it is not `answered`
};

struct etcd_http; ///< the library's client; only the source knows it

/// One kept-alive connection to one member at a time; the next one in turn after each failure. Thread-safe;
/// one question at a time.
class etcd_connection {
public:
  explicit etcd_connection(etcd_access access);
  ~etcd_connection();

  etcd_reply post(const std::string& path, const std::string& body, std::int64_t limit_ms);
  /// Leaves this member, since what it says is of no use.
  void leave_endpoint();
  /// The member that is asked next.
  std::string endpoint() const;

private:
  void turn_away();

  etcd_access access_;
  mutable std::mutex mutex_;
  std::size_t at_ = 0;
  std::unique_ptr<etcd_http> http_;
};

/// One request whose answer is lines without an end, read by a thread of its own. Up to `most_bytes` of lines
/// wait to be taken; then nothing more is read.
class etcd_line_stream {
public:
  /// `endpoint`: number of the member, modulo how many there are.
  etcd_line_stream(const etcd_access& access, std::size_t endpoint, std::string path, std::string body);
  ~etcd_line_stream();

  struct taken {
    std::vector<std::string> lines;
    bool ended = false; ///< and no line is left
    etcd_reply how;     ///< it ended
  };
  /// Waits up to `limit_ms` for a line or the end.
  taken next(std::int64_t limit_ms);

  static constexpr std::size_t most_bytes = 16U << 20U;

private:
  void run(const std::string& path, const std::string& body);
  bool receive(const char* data, std::size_t size);

  std::size_t line_limit_;
  std::unique_ptr<etcd_http> http_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  std::size_t bytes_ = 0;
  std::string partial_;
  bool stopping_ = false;
  bool ended_ = false;
  etcd_reply how_;
  std::thread thread_;
};

} // namespace picket::registry
