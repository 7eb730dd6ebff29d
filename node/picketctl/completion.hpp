#pragma once

#include <string>

#include "node/picketctl/command_model.hpp"

namespace picket::ctl {

/// Scripts that complete commands, options, choices and paths. Made from the command table alone.
std::string bash_completion(const command_info& root);
std::string zsh_completion(const command_info& root);

} // namespace picket::ctl
