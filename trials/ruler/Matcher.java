import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import software.amazon.event.ruler.Machine;

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
        return machine.rulesForJSONEvent(event).isEmpty() ? "passed over" : "matched";
    }
}
