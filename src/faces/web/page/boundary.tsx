/** A part of the page that may fail without taking the rest along. */
import { Component, type ComponentChildren, type JSX } from 'preact';

interface BoundaryProps {
  /** Another one is tried anew. */
  of: string;
  children: ComponentChildren;
}

export class Boundary extends Component<BoundaryProps, { failed: string | undefined }> {
  override state = { failed: undefined };

  override componentDidCatch(): void {
    this.setState({ failed: this.props.of });
  }

  override render(): JSX.Element {
    return this.state.failed === this.props.of ? (
      <p class="refusal" role="alert">
        This cannot be shown: a mistake of coord. The rest of the page goes on; the command line shows it as well.
      </p>
    ) : (
      <>{this.props.children}</>
    );
  }
}
