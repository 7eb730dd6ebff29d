#pragma once

#include "engine/conformance/runner.hpp"

namespace picket::conformance {

std::unique_ptr<runner> make_patterns_runner();
std::unique_ptr<runner> make_xml_runner();
std::unique_ptr<runner> make_predecode_runner();
std::unique_ptr<runner> make_lists_runner();
std::unique_ptr<runner> make_decoders_runner();

} // namespace picket::conformance
