#pragma once

#include "base/error.hpp"

namespace picket::ctl {

/// What picketctl tells the shell; documented in docs/picketctl.md.
enum class exit_code : int {
  ok = 0,
  no = 1,          ///< the answer is no: differences, errors found, no such thing
  usage = 2,       ///< the command line or the configuration that it names is wrong
  unreachable = 3, ///< no trustworthy connection to the node
  refused = 4,     ///< not authorized, or the node refused the request
  partial = 5      ///< some of it was done
};

/// The exit code that an error of ours ends a command with.
exit_code exit_code_of(errc code) noexcept;

} // namespace picket::ctl
