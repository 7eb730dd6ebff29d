#pragma once

#include <random>
#include <string>

namespace picket::testing {

/// Rules that use every kind of window, check_diff and an accumulating decoder, for tests of state.
inline constexpr const char* state_decoders = R"(
<decoder name="json"><prematch>^{\s*"</prematch><plugin_decoder>JSON_Decoder</plugin_decoder></decoder>
<decoder name="pn"><program_name>^pn$</program_name></decoder>
<decoder name="acc"><prematch>^acc: </prematch><regex offset="after_prematch">^id=(\S+) u=(\S*)</regex><order>id, user</order><accumulate/></decoder>
)";

inline constexpr const char* state_rules = R"(<group name="g,">
<rule id="100" level="3"><decoded_as>json</decoded_as><description>d</description></rule>
<rule id="101" level="7" frequency="4" timeframe="90"><if_matched_sid>100</if_matched_sid><same_srcip/><description>d</description></rule>
<rule id="102" level="8" frequency="3"><if_matched_sid>100</if_matched_sid><different_url/><description>d</description></rule>
<rule id="103" level="9" frequency="5"><if_matched_group>g</if_matched_group><same_field>f</same_field><description>d</description></rule>
<rule id="104" level="4"><if_sid>100</if_sid><match>"q"</match><check_diff/><description>d</description></rule>
<rule id="105" level="10" frequency="6"><if_sid>104</if_sid><if_matched_regex>q</if_matched_regex><description>d</description></rule>
<rule id="106" level="3"><decoded_as>acc</decoded_as><user>^bob$</user><description>d</description></rule>
</group>)";

inline std::string random_state_line(std::mt19937& random) {
  const auto pick = [&](unsigned below) { return random() % below; };
  if (pick(6) == 0) return "acc: id=" + std::to_string(pick(4)) + " u=" + (pick(2) ? "bob" : "");
  std::string text = "{\"z\":" + std::to_string(pick(5));
  if (pick(3) == 0) text += ",\"q\":" + std::to_string(pick(2));
  if (pick(2)) text += ",\"srcip\":\"10.0.0." + std::to_string(pick(3)) + "\"";
  if (pick(2)) text += ",\"url\":\"/" + std::to_string(pick(3)) + "\"";
  if (pick(2)) text += ",\"f\":\"" + std::string(pick(40), static_cast<char>(pick(256) | 0x80)) + "\"";
  return text + "}";
}

} // namespace picket::testing
