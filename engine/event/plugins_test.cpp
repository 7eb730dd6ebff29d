#include "engine/event/plugins.hpp"

#include <gtest/gtest.h>

namespace picket::engine {
namespace {

enum plugin { pf, symantec_ws, sonicwall };

struct row {
  const char* id;
  plugin with;
  const char* log;
  event_type type;
  const char* expected; ///< "field=value ..."
};

void PrintTo(const row& each, std::ostream* out) { *out << each.id << " " << each.log; }

class PluginExamples : public ::testing::TestWithParam<row> {};

TEST_P(PluginExamples, FillStaticFields) {
  event ev;
  ev.log = GetParam().log;
  arena memory;
  match_scratch scratch;
  if (GetParam().with == pf) decode_pf(ev);
  if (GetParam().with == symantec_ws) decode_symantec_ws(ev);
  if (GetParam().with == sonicwall) decode_sonicwall(ev, scratch, memory);
  std::string shown;
  for (std::size_t i = 0; i < static_field_count; ++i) {
    auto field = static_cast<static_field>(i);
    if (auto value = ev.get(field))
      shown.append(shown.empty() ? "" : " ").append(name_of(field)).append("=").append(*value);
  }
  EXPECT_EQ(shown, GetParam().expected);
  EXPECT_EQ(ev.type, GetParam().type);
}

constexpr auto syslog = event_type::syslog;

// decoders.md 4.7 and 7.1, groups G
INSTANTIATE_TEST_SUITE_P(
    Specification, PluginExamples,
    ::testing::Values(
        row{"G1a", pf, "rule 2/(match) pass in on xl0: 140.211.166.3.6667 > 192.168.2.10.16290: P 7408",
            syslog,
            "srcip=140.211.166.3 dstip=192.168.2.10 srcport=6667 dstport=16290 protocol=TCP action=pass"},
        row{"G1b", pf, "rule 3/(match) block out on xl0: 1.2.3.4.1514 > 1.2.3.5.1030:  udp 73", syslog,
            "srcip=1.2.3.4 dstip=1.2.3.5 srcport=1514 dstport=1030 protocol=UDP action=block"},
        row{"G1c", pf, "rule 2/(match) pass in on lo0: 127.0.0.1 > 127.0.0.1: icmp: echo", syslog,
            "srcip=127.0.0.1 dstip=127.0.0.1 protocol=ICMP action=pass"},
        row{"G1d", pf, "rule 2/(match) unknown: 1.1.1.1 > 2.2.2.2:", syslog, ""},
        row{"G1e", pf, "rule 2/(match)pass in on lo0: 1.1.1.1 > 2.2.2.2:", syslog, ""},
        row{"G1f", pf, "rule 2/(match) pass in on lo0: 1.2.3.4 < 1.2.3.5: x", syslog,
            "srcip=1.2.3.4 action=pass"},
        row{"G1g", pf, "rule 2/(match) pass in on lo0: 1.2.3.4.5.6 > 1.2.3.5.7.8:", syslog,
            "srcip=1.2.3.4 dstip=1.2.3.5 srcport=5.6 dstport=7.8 action=pass"},
        row{"G1h", pf, "rule 2/(match) pass in on lo0: fe80::1.546 > ff02::2.547: x", syslog,
            "srcip=fe80::1.546 dstip=ff02 protocol=TCP action=pass"},
        row{"PfEmpty", pf, "", syslog, ""}, row{"PfEndsAtAction", pf, "x) p", syslog, "action=pass"},
        row{"G2a", symantec_ws, "20070717,73613,1=5,11=10.1.1.3,10=userc,3=1,2=1", syslog,
            "srcip=10.1.1.3 dstuser=userc id=3=1,2=1"},
        row{"G2b", symantec_ws, "20070717,73614,1=5,11=1.2.3.4,60=http://h/,10=userX,2=27", syslog,
            "srcip=1.2.3.4 dstuser=userX id=2=27 url=http://h/"},
        row{"G2c", symantec_ws, "20070717,73614,2=2712345678,x", syslog, "id=2=2712345"},
        row{"G2d", symantec_ws, "20070717,73614,10=a,10=b,11=c,11=d,60=e,60=f", syslog,
            "srcip=c dstuser=a url=e"},
        row{"SymantecNoComma", symantec_ws, "10=a", syslog, ""},
        row{"G3a", sonicwall,
            "id=f pri=6 c=262144 m=98 msg=\"x\" n=1 src=2.2.2.2:36701:WAN dst=1.1.1.1:50000:WAN "
            "proto=tcp/50000",
            event_type::firewall,
            "srcip=2.2.2.2 dstip=1.1.1.1 srcport=36701 dstport=50000 protocol=tcp action=pass id=98 "
            "status=6"},
        row{"G3b", sonicwall, "id=f pri=1 c=32 m=30 msg=\"x\" n=7 src=2.2.2.2:1:WAN dst=1.1.1.1:2:WAN",
            event_type::ids, "srcip=2.2.2.2 dstip=1.1.1.1 srcport=1 dstport=2 id=30 status=1"},
        row{"G3c", sonicwall,
            "id=f pri=6 c=1 m=38 msg=\"x\" n=1 src=2.2.2.2:1:WAN dst=1.1.1.1:2:WAN proto=abcdefgh/53 x",
            event_type::firewall,
            "srcip=2.2.2.2 dstip=1.1.1.1 srcport=1 dstport=2 protocol=abcdef action=drop id=38 status=6"},
        row{"G3d", sonicwall,
            "id=f pri=6 c=1 m=97 msg=\"x\" n=1 src=2.2.2.2:1:WAN dst=1.1.1.1:2:WAN proto=tcp/http result=404 "
            "dstname=h.com arg=/a?b",
            event_type::squid,
            "srcip=2.2.2.2 dstip=1.1.1.1 srcport=1 dstport=2 protocol=tcp id=404 url=h.com/a?b status=6"},
        row{"G3e", sonicwall, "id=f pri=6 c=1 m=98 msg=\"x\" n=1 src=2.2.2.2 dst=1.1.1.1", syslog,
            "id=98 status=6"},
        row{"G3f", sonicwall, "id=f pri=66 c=1 m=98 x", syslog, ""}),
    [](const auto& each) { return std::string(each.param.id); });

} // namespace
} // namespace picket::engine
