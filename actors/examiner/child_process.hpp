#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/error.hpp"

namespace picket {

/// Another program at the other end of a socket, in a process group of its own; killed with its children when
/// it goes out of scope. Used by one thread.
class child_process {
public:
  /// `command`: the program's path and its arguments. Errors: io.
  static result<std::unique_ptr<child_process>> start(const std::vector<std::string>& command);
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  struct exchanged {
    std::string bytes; ///< that came
    bool ended = false;
  };
  /// Sends what the child takes of `unsent`, which becomes the rest, and reads what it says; waits at most so
  /// long for either.
  exchanged exchange(std::string_view& unsent, std::int64_t wait_ms);

  /// Ends it if it has not ended; "signal 6", "exit code 1".
  std::string end();

private:
  child_process(pid_t pid, int socket)
      : pid_{pid}
      , socket_{socket} {}
  static result<pid_t> spawn(const std::vector<std::string>& command, int socket);

  pid_t pid_;
  int socket_;
  std::string end_;
};

} // namespace picket
