#pragma once

#include <string>

#include "node/picketctl/api_call.hpp"

namespace picket::ctl {

/// The answer of the node's status as a screen: first whether all is well, in words, and if not what to do;
/// then what goes in, what waits, what comes out. `colours`: with those of a terminal.
std::string node_status_text(const json& data, bool colours);

// Figures as people read them; public for their tests.

/// 1234567.8 as "1,234,568"; below ten with one decimal.
std::string count_text(double value);
/// "512 B", "4.2 KiB", "17 MiB".
std::string bytes_text(double bytes);
/// "0.4 s", "12 s", "3 min", "5 h 10 min", "12 d 3 h".
std::string span_text(double seconds);

} // namespace picket::ctl
