import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Machine;
import software.amazon.event.ruler.Patterns;

/**
 * Reads lines of JSON, {"pattern": text, "event": text}, and prints a line for each: what
 * event-ruler makes of the pair.
 */
public class Matcher {
    public static void main(String[] arguments) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        BufferedReader lines =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        StringBuilder found = new StringBuilder();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonNode pair = mapper.readTree(line);
            found.append(judge(pair.get("pattern").textValue(), pair.get("event").textValue()));
            found.append('\n');
        }
        System.out.print(found);
    }

    private static String judge(String pattern, String event) throws Exception {
        Machine machine = new Machine();
        try {
            machine.addRule("pattern", pattern);
        } catch (Exception refused) {
            return "refused";
        }
        if (!machine.rulesForJSONEvent(event).isEmpty()) {
            return "matched";
        }
        return matchesByAlternative(pattern, event) ? "lost" : "passed over";
    }

    /** Whether an alternative of the pattern's $or matches by itself, as a rule of its own. */
    private static boolean matchesByAlternative(String pattern, String event) throws Exception {
        List<Map<String, List<Patterns>>> alternatives;
        try {
            alternatives = JsonRuleCompiler.compile(pattern);
        } catch (JsonParseException orIsAName) {
            return false;
        }
        for (Map<String, List<Patterns>> alternative : alternatives) {
            Machine machine = new Machine();
            machine.addPatternRule("alternative", alternative);
            if (!machine.rulesForJSONEvent(event).isEmpty()) {
                return true;
            }
        }
        return false;
    }
}
