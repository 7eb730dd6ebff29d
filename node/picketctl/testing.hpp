#pragma once

#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "node/picketctl/command_line.hpp"

namespace picket::ctl::testing {

/// What a command line came to.
struct outcome {
  exit_code code = exit_code::ok;
  std::string out;
  std::string err;
};

/// Runs picketctl in this process.
inline outcome run_ctl(const std::vector<std::string>& arguments, const std::string& input = {},
                       const config::environment& environment = {}, bool interactive = false,
                       std::function<bool(int)> wait = {}) {
  std::istringstream in{input};
  std::ostringstream out, err;
  session with{in, out, err, environment, interactive};
  with.wait = std::move(wait);
  outcome done;
  done.code = run(arguments, with);
  done.out = out.str();
  done.err = err.str();
  return done;
}

} // namespace picket::ctl::testing
