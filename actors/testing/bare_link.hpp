#pragma once

#include <memory>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include "actors/agent_session/session_link.hpp"
#include "net/io_thread.hpp"
#include "net/tls.hpp"

namespace picket::testing {

/// A link of an agent over one end of a socket pair, with an I/O thread of its own; the other end is `far`.
struct bare_link {
  explicit bare_link(const std::shared_ptr<agent_anchor>& anchor, net::connection_options options = {}) {
    int ends[2] = {-1, -1};
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
    far = ends[1];
    thread = std::move(*net::io_thread::create("bare-link"));
    thread->start();
    connection = std::make_shared<net::connection>(*thread, ends[0], net::endpoint{}, nullptr, options);
    protocol::agent_row row;
    row.name = "web-01";
    row.key = "the key";
    row.address = "any";
    link = std::make_shared<session_link>(anchor, row, connection, protocol::record_cipher::aes,
                                          protocol::counter_pair{});
  }
  ~bare_link() {
    thread->stop();
    ::close(far);
  }
  /// Behind everything that was posted to the thread before.
  void settle() const {
    thread->run([] {});
  }

  std::unique_ptr<net::io_thread> thread;
  std::shared_ptr<net::connection> connection;
  session_link_ptr link;
  int far = -1;
};

} // namespace picket::testing
