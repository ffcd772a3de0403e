package gateway

// selectRoute returns the route of a message: the one that the selection
// expression names, else $default. ok is false if there is neither.
//
// A message that is not JSON goes to $default. So does one that names $connect
// or $disconnect: a client must not be able to forge the events of a
// connection's life.
func (d *deployment) selectRoute(message []byte) (selected route, ok bool) {
	key, isJSON := d.selection.Evaluate(message)
	if isJSON && key != connectRoute && key != disconnectRoute {
		if selected, ok = d.routes[key]; ok {
			return selected, true
		}
	}
	selected, ok = d.routes[defaultRoute]
	return selected, ok
}
