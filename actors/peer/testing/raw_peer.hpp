#pragma once

#include <optional>
#include <string>

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.hpp"
#include "net/tls.hpp"
#include "protocol/peer/messages.hpp"

namespace picket::peer::testing {

/// The other side of a link by hand: a blocking TLS client that sends whatever bytes it is told.
class raw_peer {
public:
  /// `files`: null: no TLS at all. `receive_buffer`: 0: the system's own.
  raw_peer(const net::endpoint& where, const net::node_tls_files* files, int receive_buffer = 0) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    timeval limit{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_storage address{};
    auto length = to_sockaddr(where, address);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), length) == 0;
    if (files == nullptr || !connected_) return;
    context_ = *net::tls_context::node_client(*files);
    ssl_ = SSL_new(context_->get());
    SSL_set_fd(ssl_, fd_);
    connected_ = SSL_connect(ssl_) == 1;
  }
  raw_peer(const raw_peer&) = delete;
  raw_peer& operator=(const raw_peer&) = delete;
  ~raw_peer() {
    SSL_free(ssl_);
    if (fd_ >= 0) ::close(fd_);
  }

  bool connected() const { return connected_; }
  bool send(const std::string& bytes) {
    return ssl_ == nullptr ? ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0
                           : SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
  }
  bool send(const protocol::peer::message& what) { return send(protocol::peer::encode(what)); }

  /// The next frame's message; nothing at the end, or after 20 s. Frames of types that are not known are no
  /// part of these tests.
  std::optional<protocol::peer::message> receive() {
    while (true) {
      if (waiting_.size() >= 4) {
        std::size_t length = 0;
        for (std::size_t i = 4; i-- > 0;)
          length = length * 256 + static_cast<unsigned char>(waiting_[i]);
        if (waiting_.size() >= 4 + length) {
          auto bytes = waiting_.substr(0, 4 + length);
          waiting_.erase(0, 4 + length);
          auto read = protocol::peer::decode({static_cast<std::uint8_t>(bytes[4]),
                                              static_cast<std::uint8_t>(bytes[5]),
                                              std::string_view{bytes}.substr(6)});
          return read ? *read : std::nullopt;
        }
      }
      if (!read_more()) return std::nullopt;
    }
  }
  /// The cause with which the other side closes; nothing: it ends without a word.
  std::optional<protocol::peer::close_cause> closed_with() {
    while (auto what = receive())
      if (auto* last = std::get_if<protocol::peer::close>(&*what)) return last->cause;
    return std::nullopt;
  }
  std::uint64_t read_bytes() const { return read_bytes_; }

private:
  bool read_more() {
    char part[4'096];
    auto got = ssl_ == nullptr ? ::recv(fd_, part, sizeof part, 0) : SSL_read(ssl_, part, sizeof part);
    if (got <= 0) return false;
    read_bytes_ += static_cast<std::uint64_t>(got);
    waiting_.append(part, static_cast<std::size_t>(got));
    return true;
  }

  int fd_ = -1;
  std::shared_ptr<net::tls_context> context_;
  SSL* ssl_ = nullptr;
  bool connected_ = false;
  std::string waiting_;
  std::uint64_t read_bytes_ = 0;
};

} // namespace picket::peer::testing
