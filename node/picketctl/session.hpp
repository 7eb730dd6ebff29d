#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "base/error.hpp"
#include "config/load.hpp"
#include "node/picketctl/exit_code.hpp"

namespace picket::ctl {

/// Options that every command takes.
struct global_options {
  std::string config_file; ///< the node's YAML; empty: where one usually lies
  std::string url;         ///< empty: from the configuration
  std::string token_file;  ///< empty: from the configuration
  std::string ca_file;     ///< empty: the node's own certificate, from the configuration
  bool insecure = false;
  bool json = false;
  int timeout_s = 10;
};

/// What a command works with. Nothing else of the process is touched but files that it names.
struct session {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  config::environment environment; ///< variables that begin with PICKET_
  bool interactive = false;        ///< a person types the input
  global_options options = {};
  bool colours = false; ///< a terminal shows the output
  /// Waits so many seconds between two screens of `--watch`; false: no more. Empty: waits for ever.
  std::function<bool(int)> wait = {};
};

/// Writes "picketctl: what (how to mend)" and answers the exit code that belongs to it.
exit_code complain(session& with, const error& why);

/// The configuration file that a command reads: the one given, else PICKET_CONFIG, else `picket.yml` here,
/// else /etc/picket/picket.yml, else empty (defaults and environment only).
std::string configuration_file(const session& with);

/// Reads a whole file. Errors: not_found, io, limit_reached.
result<std::string> read_whole_file(const std::string& path, std::size_t bytes_max);

} // namespace picket::ctl
